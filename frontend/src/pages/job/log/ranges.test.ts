import { describe, expect, it } from 'vitest';
import { between, type Part, strayedBytes } from './ranges';

const bytes = (text: string) => new TextEncoder().encode(text);
const text = (given: Uint8Array) => new TextDecoder().decode(given);

/** The route over these bytes: it replaces what is no character, and leaves the beginning of one at the end. */
function route(whole: Uint8Array, most = 1_000) {
  return async (from: number, limit: number): Promise<Part> => {
    const data = whole.subarray(from, from + Math.max(8, Math.min(limit, most)));
    const decoder = new TextDecoder();
    const shown = decoder.decode(data, { stream: true });
    let used = data.length;
    while (used > 0 && new TextDecoder().decode(data.subarray(0, used)) !== shown) used -= 1;
    return { bytes: bytes(shown), from, next: from + used, complete: false };
  };
}

describe('between', () => {
  it('gives what lies there, in as many reads as it takes', async () => {
    const whole = bytes('0123456789'.repeat(10));
    expect(text((await between(10, 90, route(whole, 16))).bytes)).toBe('0123456789'.repeat(8));
  });

  it('begins behind a character that the offset cut in two', async () => {
    const whole = bytes('가나다라마바사아자차');
    for (const cut of [0, 1, 2, 3, 4]) {
      const newer = await between(cut, whole.length, route(whole));
      const older = await between(0, newer.from, route(whole));
      expect(text(older.bytes) + text(newer.bytes)).toBe('가나다라마바사아자차');
    }
  });

  it('tells a hole once, and nothing twice', async () => {
    const mark = '[trainyard] 1.0 MB of output were cut here (limit 64 MB; setting TRAINYARD_LOG_LIMIT_MB)\n';
    const [head, tail] = ['head\n'.repeat(20), 'tail\n'.repeat(20)]; // the hole: 100 to 1100
    const reader = async (from: number, limit: number): Promise<Part> => {
      if (from < 100) {
        const part = head.slice(from, Math.min(100, from + limit));
        return { bytes: bytes(part), from, next: from + part.length, complete: false };
      }
      const hole = from < 1_100;
      const at = hole ? 0 : from - 1_100;
      const part = tail.slice(at, at + Math.max(8, limit));
      return { bytes: bytes((hole ? mark : '') + part), from, next: 1_100 + at + part.length, complete: false };
    };
    // the newest window begins in the hole; the older ones end in it
    const newest = await between(600, 1_200, reader);
    expect(text(newest.bytes)).toBe(mark + tail);
    expect(text((await between(300, 600, reader)).bytes)).toBe('');
    expect(text((await between(0, 300, reader)).bytes)).toBe(head);
    // the newest window begins behind it
    expect(text((await between(1_150, 1_200, reader)).bytes)).toBe(tail.slice(50));
    expect(text((await between(50, 1_150, reader)).bytes)).toBe(head.slice(50) + mark + tail.slice(0, 50));
  });
});

describe('strayedBytes', () => {
  it('counts replacement characters at the start, at most three', () => {
    expect(strayedBytes(bytes('abc'))).toBe(0);
    expect(strayedBytes(bytes('\ufffd\ufffdabc\ufffd'))).toBe(2);
    expect(strayedBytes(bytes('\ufffd\ufffd\ufffd\ufffd'))).toBe(3);
  });
});
