import { describe, expect, it } from 'vitest';
import { PLAIN, parseAnsi } from './ansi';
import { hitsIn, plainLine, splitTrace, styleBefore, withHits, withoutReturns } from './shown';
import { LogText } from './text';

describe('splitTrace', () => {
  it('takes the mark of our trainers apart', () => {
    expect(splitTrace('[TRACE:9f2c] epoch 1')).toEqual({ trace: '[TRACE:9f2c]', text: 'epoch 1' });
    expect(splitTrace('[TRACE:9f2c]')).toEqual({ trace: '[TRACE:9f2c]', text: '' });
  });

  it('leaves everything else', () => {
    for (const line of ['', 'a [TRACE:x] b', '[TRACE:] x', '[TRACE:a b] x', '[trace:x] y']) {
      expect(splitTrace(line)).toEqual({ trace: '', text: line });
    }
  });
});

describe('plainLine', () => {
  it('is what is seen', () => {
    const raw = '[TRACE:ab] \u001b[1mbold\u001b[0m move';
    expect(plainLine(raw, false)).toBe('bold move');
    expect(plainLine(raw, true)).toBe('[TRACE:ab] bold move');
  });
});

describe('withoutReturns', () => {
  it('agrees with the lines of LogText', () => {
    for (const raw of ['', 'a', 'a\r', 'a\rb', 'a\rb\r\r', '\r\r', '\ra', '10%\r20%']) {
      const text = new LogText();
      text.append(new TextEncoder().encode(`${raw}\n`));
      expect(withoutReturns(raw)).toBe(text.line(0).text);
    }
  });
});

describe('hits', () => {
  it('are found whatever the case, and do not overlap', () => {
    expect(hitsIn('Error: an ERROR', 'error')).toEqual([0, 10]);
    expect(hitsIn('aaaa', 'aa')).toEqual([0, 2]);
    expect(hitsIn('손실 0.5 손실', '손실')).toEqual([0, 7]);
    expect(hitsIn('abc', '')).toEqual([]);
  });

  it('reach over colours', () => {
    const { spans } = parseAnsi('los\u001b[31ms: 0.1');
    const shown = withHits(spans, 'loss');
    expect(shown.map(({ text, hit }) => [text, hit])).toEqual([
      ['los', true],
      ['s', true],
      [': 0.1', false],
    ]);
    expect(shown[1]?.style.fg).toBe(1);
  });

  it('leave a line without any as it is', () => {
    const { spans } = parseAnsi('a\u001b[31mb');
    expect(withHits(spans, 'x').map((span) => span.text)).toEqual(['a', 'b']);
  });
});

describe('styleBefore', () => {
  it('is what earlier lines left on', () => {
    const text = new LogText();
    text.append(new TextEncoder().encode('\u001b[31mTraceback\n  File x\nValueError\u001b[0m\nplain\n'));
    expect(styleBefore(text, 0)).toBe(PLAIN);
    expect(styleBefore(text, 2).fg).toBe(1);
    expect(styleBefore(text, 3)).toBe(PLAIN);
  });
});
