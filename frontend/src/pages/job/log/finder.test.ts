import { describe, expect, it } from 'vitest';
import { Finder, nextHit } from './finder';
import { LogText } from './text';

const bytes = (text: string) => new TextEncoder().encode(text);

function all(finder: Finder): number[] {
  while (!finder.done) finder.step();
  return finder.found;
}

describe('Finder', () => {
  it('finds lines whatever the case and however they are coloured', () => {
    const text = new LogText();
    text.append(bytes('Loss 1\nnothing\nlo\u001b[31mss\u001b[0m 2\nfloss\n'));
    expect(all(new Finder(text, 'LOSS', false))).toEqual([0, 2, 3]);
  });

  it('looks only at what is shown of a line', () => {
    const text = new LogText();
    text.append(bytes('[TRACE:beef] done\nbeef\r100%\nbeef\n'));
    expect(all(new Finder(text, 'beef', false))).toEqual([2]);
    expect(all(new Finder(text, 'beef', true))).toEqual([0, 2]);
  });

  it('goes on with what comes later, at both ends', () => {
    const text = new LogText();
    text.append(bytes('hit\nno\nopen hi'));
    const finder = new Finder(text, 'hit', false);
    expect(all(finder)).toEqual([0]);
    text.append(bytes('t\n'));
    expect(finder.done).toBe(false);
    expect(all(finder)).toEqual([0, 2]);
    text.prepend(bytes('old hit\nold\n'));
    expect(all(finder)).toEqual([-2, 0, 2]);
  });

  it('takes many lines in several steps', () => {
    const text = new LogText();
    text.append(bytes(Array.from({ length: 50_000 }, (_, n) => `line ${n}`).join('\n')));
    text.append(bytes('\n'));
    let clock = 0;
    const finder = new Finder(text, 'line 499', false);
    finder.step(() => clock++ * 5);
    expect(finder.done).toBe(false);
    expect(all(finder)).toHaveLength(111);
  });
});

describe('nextHit', () => {
  it('goes on and back, around the ends', () => {
    expect(nextHit([2, 5, 9], 5, false)).toBe(9);
    expect(nextHit([2, 5, 9], 9, false)).toBe(2);
    expect(nextHit([2, 5, 9], 2, true)).toBe(9);
    expect(nextHit([2, 5, 9], 6, true)).toBe(5);
    expect(nextHit([], 1, false)).toBeNull();
  });
});
