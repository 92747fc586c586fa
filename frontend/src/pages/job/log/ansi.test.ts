import { describe, expect, it } from 'vitest';
import { PLAIN, parseAnsi, withoutAnsi, withSgr } from './ansi';

const shown = (text: string) => parseAnsi(text).spans.map(({ text, style }) => [text, style.fg, style.bg]);

describe('parseAnsi', () => {
  it('leaves a plain line in one piece, and its style is the shared one', () => {
    const { spans, end } = parseAnsi('epoch 1/10');
    expect(spans).toEqual([{ text: 'epoch 1/10', style: PLAIN }]);
    expect(end).toBe(PLAIN);
  });

  it('colours what stands between two sequences', () => {
    expect(shown('a\u001b[31mred\u001b[0mb')).toEqual([
      ['a', null, null],
      ['red', 1, null],
      ['b', null, null],
    ]);
  });

  it.each([
    ['[38;5;9m', 9],
    ['[38;5;16m', '#000000'],
    ['[38;5;208m', '#ff8700'],
    ['[38;5;244m', '#808080'],
    ['[38;2;10;20;30m', '#0a141e'],
    ['[38:2::10:20:30m', '#0a141e'],
    ['[38:2:10:20:30m', '#0a141e'],
    ['[38:5:208m', '#ff8700'],
    ['[91m', 9],
  ])('knows the colour of %s', (code, colour) => {
    expect(parseAnsi(`\u001b${code}x`).spans[0]?.style.fg).toBe(colour);
  });

  it.each(['[38;5;256m', '[38;5m', '[38;2;1;2m', '[38;2;300;0;0m', '[38;9;1m', '[m', '[?25h', '[200m'])(
    'is not led astray by %s',
    (code) => {
      const { spans } = parseAnsi(`\u001b${code}x`);
      expect(spans.map((span) => span.text).join('')).toBe('x');
      expect(spans[0]?.style.fg).toBeNull();
    },
  );

  it('goes on behind an extended colour with the next number', () => {
    const style = withSgr(PLAIN, '38;5;208;1;48;2;1;2;3;4');
    expect(style).toMatchObject({ fg: '#ff8700', bold: true, bg: '#010203', underline: true });
  });

  it('takes each face back', () => {
    const all = withSgr(PLAIN, '1;2;3;4;7;9;31;42');
    expect(all).toEqual({
      fg: 1,
      bg: 2,
      bold: true,
      dim: true,
      italic: true,
      underline: true,
      strike: true,
      inverse: true,
    });
    expect(withSgr(all, '22;23;24;27;29;39;49')).toBe(PLAIN);
    expect(withSgr(all, '')).toBe(PLAIN);
  });

  it('drops what moves the cursor, erases, sets titles and links', () => {
    expect(
      withoutAnsi('a\u001b[2K\u001b[1Ab\u001b]0;a title\u0007c\u001b]8;;https://x.y\u001b\\d\u001b]8;;\u001b\\'),
    ).toBe('abcd');
    expect(withoutAnsi('a\u001b(Bb\u001bMc\u001bPq#1\u001b\\d\u009b31me')).toBe('abcde');
  });

  it('hides a sequence that the end of the text cut off', () => {
    for (const cut of ['\u001b', '\u001b[', '\u001b[3', '\u001b[31;', '\u001b]0;ti']) {
      expect(withoutAnsi(`loading${cut}`)).toBe('loading');
    }
  });

  it('writes over what a backspace steps back over, and drops other controls', () => {
    expect(withoutAnsi('10%\b\b\b20%')).toBe('20%');
    expect(withoutAnsi('\b\bx\u0007y\u0000z')).toBe('xyz');
    expect(withoutAnsi('a\tb')).toBe('a\tb');
    expect(withoutAnsi('pass\u202edetrever\u202c')).toBe('passdetrever');
  });

  it('begins with the style that the line before it left', () => {
    const first = parseAnsi('\u001b[1;31mbroken');
    const second = parseAnsi('still red\u001b[0m', first.end);
    expect(second.spans[0]?.style).toMatchObject({ fg: 1, bold: true });
    expect(second.end).toBe(PLAIN);
  });

  it('takes a hostile line in its stride', () => {
    const hostile = '\u001b]'.repeat(50_000) + '\u001b['.repeat(50_000);
    const began = performance.now();
    withoutAnsi(hostile);
    expect(performance.now() - began).toBeLessThan(1_000);
  });
});
