import { expect, test } from 'vitest';
import { countChanges, type DiffLine, diffLines, hunks, linesOf } from './lines';

const short = (lines: DiffLine[]) =>
  lines.map(({ change, text }) => `${{ same: ' ', out: '-', in: '+' }[change]}${text}`);
const side = (lines: DiffLine[], other: 'in' | 'out') =>
  lines.filter(({ change }) => change !== other).map((one) => one.text);

test('a changed line goes out and comes in where it stands', () => {
  const found = diffLines(['a', 'b', 'c'], ['a', 'x', 'c']);
  expect(short(found)).toEqual([' a', '-b', '+x', ' c']);
  expect(found.map((line) => [line.before, line.after])).toEqual([
    [1, 1],
    [2, null],
    [null, 2],
    [3, 3],
  ]);
});

test('what was put in or taken out shifts the rest, and is all that differs', () => {
  expect(countChanges(diffLines(['a', 'b', 'c'], ['a', 'new', 'b', 'c']))).toEqual({ in: 1, out: 0 });
  expect(countChanges(diffLines(['a', 'b', 'c'], ['c']))).toEqual({ in: 0, out: 2 });
  expect(countChanges(diffLines([...'abcabba'], [...'cbabac']))).toEqual({ in: 2, out: 3 });
});

test('nothing, all and the same', () => {
  expect(diffLines([], [])).toEqual([]);
  expect(short(diffLines([], ['a']))).toEqual(['+a']);
  expect(short(diffLines(['a'], []))).toEqual(['-a']);
  expect(short(diffLines(['a', 'b'], ['a', 'b']))).toEqual([' a', ' b']);
});

test('both texts can be read from a diff, whatever they are', () => {
  let seed = 7;
  const chance = (below: number) => {
    seed = (seed * 1103515245 + 12345) % 2 ** 31;
    return seed % below;
  };
  for (let round = 0; round < 300; round += 1) {
    const text = () => Array.from({ length: chance(30) }, () => 'abcd'.charAt(chance(4)));
    const [before, after] = [text(), text()];
    const found = diffLines(before, after);
    expect(side(found, 'in')).toEqual(before);
    expect(side(found, 'out')).toEqual(after);
  }
});

test('texts that have nothing in common cost no more than a moment', () => {
  const before = Array.from({ length: 20_000 }, (_, line) => `a${line}`);
  const after = Array.from({ length: 20_000 }, (_, line) => `b${line}`);
  expect(countChanges(diffLines(before, after))).toEqual({ in: 20_000, out: 20_000 });
});

test('ends of lines are no difference, and the last one begins none', () => {
  expect(linesOf('a\r\nb\r\n')).toEqual(['a', 'b']);
  expect(linesOf('a\nb')).toEqual(['a', 'b']);
  expect(linesOf('')).toEqual([]);
  expect(linesOf('\n')).toEqual(['']);
});

test('what is the same for long is folded, with some lines around each change', () => {
  const before = Array.from({ length: 40 }, (_, line) => String(line));
  const after = before.with(20, 'changed');
  const found = hunks(diffLines(before, after));
  expect(found.map((hunk) => ('folded' in hunk ? `folded ${hunk.folded.length}` : short(hunk.lines)))).toEqual([
    'folded 17',
    [' 17', ' 18', ' 19', '-20', '+changed', ' 21', ' 22', ' 23'],
    'folded 16',
  ]);
});

test('a line or two are not folded', () => {
  const before = [...'abcdefghijkl'];
  const found = hunks(diffLines(before, before.with(0, 'X').with(8, 'Y')));
  expect(found.filter((hunk) => 'folded' in hunk)).toEqual([]);
});
