import { describe, expect, it } from 'vitest';
import { LogText } from './text';

const bytes = (text: string) => new TextEncoder().encode(text);

function lines(text: LogText): string[] {
  return Array.from({ length: text.length }, (_, n) => text.line(text.first + n).text);
}

function made(...pieces: string[]): LogText {
  const text = new LogText();
  for (const piece of pieces) text.append(bytes(piece));
  return text;
}

describe('LogText.append', () => {
  it('has no line at first', () => {
    expect(made().length).toBe(0);
    expect(made('').length).toBe(0);
    expect(made('').line(0).text).toBe('');
  });

  it('keeps empty lines, and shows an open one', () => {
    const text = made('a\n\nb');
    expect(lines(text)).toEqual(['a', '', 'b']);
    expect(text.closed).toBe(false);
    text.append(bytes('c\n'));
    expect(lines(text)).toEqual(['a', '', 'bc']);
    expect(text.closed).toBe(true);
  });

  it('is the same however the pieces are cut: in lines, in escapes, in characters, between \\r and \\n', () => {
    const whole = 'one\r\n\u001b[31m빨강\u001b[0m\r\n 1%\r 50%\r100%\n\n끝';
    const all = bytes(whole);
    const wanted = ['one', '\u001b[31m빨강\u001b[0m', '100%', '', '끝'];
    for (let cut = 0; cut <= all.length; cut++) {
      const text = new LogText();
      text.append(all.subarray(0, cut));
      text.append(all.subarray(cut));
      expect(lines(text)).toEqual(wanted);
    }
    const one = new LogText();
    for (const byte of all) one.append(new Uint8Array([byte]));
    expect(lines(one)).toEqual(wanted);
  });

  it('grows over many pieces without losing a line', () => {
    const text = new LogText();
    const wanted: string[] = [];
    let waiting = '';
    for (let n = 0; n < 40_000; n++) {
      const line = `line ${n} ${'x'.repeat(n % 37)}`;
      wanted.push(line);
      waiting += `${line}\n`;
      if (n % 97 === 0) {
        text.append(bytes(waiting.slice(0, -7)));
        waiting = waiting.slice(-7);
      }
    }
    text.append(bytes(waiting));
    expect(text.length).toBe(40_000);
    expect(lines(text)).toEqual(wanted);
  });

  it('takes one large piece with more lines than fit in one of its own', () => {
    const wanted = Array.from({ length: 100_000 }, (_, n) => `epoch ${n} of many`);
    expect(lines(made(wanted.join('\n')))).toEqual(wanted);
  });
});

describe('carriage returns', () => {
  it('shows how a line ended', () => {
    expect(lines(made(' 10%\r 20%\r 30%'))).toEqual([' 30%']);
    expect(lines(made(' 10%\r 20%\r'))).toEqual([' 20%']);
    expect(lines(made('\r\r\n'))).toEqual(['']);
    expect(lines(made('a\rb\r\nc'))).toEqual(['b', 'c']);
  });

  it('lets go of what was overwritten for long', () => {
    const text = made('before\n');
    for (let n = 0; n < 20_000; n++) text.append(bytes(`\r${n} ${'#'.repeat(50)}`));
    expect(text.length).toBe(2);
    expect(text.line(1).text).toBe(`19999 ${'#'.repeat(50)}`);
    expect(text.block(1, 1).text.length).toBeLessThan(100_000);
    text.append(bytes('\nafter'));
    expect(lines(text)).toEqual(['before', `19999 ${'#'.repeat(50)}`, 'after']);
  });
});

describe('LogText.prepend', () => {
  it('puts older lines before, and ids stay', () => {
    const text = made('c\nd\n');
    const id = text.first + 1;
    text.prepend(bytes('a\nb\n'));
    expect(lines(text)).toEqual(['a', 'b', 'c', 'd']);
    expect(text.line(id).text).toBe('d');
    expect(text.first).toBe(-2);
  });

  it('joins a line that was cut', () => {
    const text = made('nd of it\nnext\n');
    text.prepend(bytes('first\nthe e'));
    expect(lines(text)).toEqual(['first', 'the end of it', 'next']);
    expect(text.line(0).text).toBe('the end of it');
  });

  it('joins several times into one line, also an open one', () => {
    const text = made('c');
    text.prepend(bytes('b'));
    text.prepend(bytes('x\na'));
    expect(lines(text)).toEqual(['x', 'abc']);
    text.append(bytes('d\ne'));
    expect(lines(text)).toEqual(['x', 'abcd', 'e']);
    expect([text.first, text.end]).toEqual([-1, 2]);
  });

  it('gives the same lines as one text, however it is cut', () => {
    const whole = bytes('alpha\nbeta\n\ngamma\rdelta\nlast');
    for (let cut = 0; cut <= whole.length; cut++) {
      const text = new LogText();
      text.append(whole.subarray(cut));
      text.prepend(whole.subarray(0, cut));
      expect(lines(text)).toEqual(['alpha', 'beta', '', 'delta', 'last']);
    }
  });
});

describe('LogText.line', () => {
  it('gives at most so much of a long one, in whole characters', () => {
    const text = made(`${'가'.repeat(1000)}\n`);
    const { text: shown, more } = text.line(0, 100);
    expect(shown).toBe('가'.repeat(33));
    expect(more).toBe(3000 - 99);
  });

  it('gives blocks that together are the text', () => {
    const text = made('a\nb\nc\nd');
    expect(text.block(1, 2)).toEqual({ text: 'b\nc\n', lines: 2 });
    expect(text.block(2, 9)).toEqual({ text: 'c\nd', lines: 2 });
    expect(text.block(9, 9)).toEqual({ text: '', lines: 0 });
  });

  it('holds a million lines in little more than their bytes', () => {
    const text = new LogText();
    const piece = bytes('epoch 1/10 loss 0.1234 accuracy 0.98\n'.repeat(1_000));
    for (let n = 0; n < 1_000; n++) text.append(piece);
    expect(text.length).toBe(1_000_000);
    expect(text.line(999_999).text).toBe('epoch 1/10 loss 0.1234 accuracy 0.98');
    const held = text.held;
    expect(held).toBeLessThan(piece.length * 1_000 + 1_000_000 * 4 * 2 + 2 ** 20);
  });
});
