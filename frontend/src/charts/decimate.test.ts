// @vitest-environment node
import { expect, test } from 'vitest';
import { decimate } from './decimate';

const upTo = (count: number) => Array.from({ length: count }, (_, i) => i);

test('few points are drawn where they are, with gaps for what is no number', () => {
  const drawn = decimate(
    [
      { steps: [1, 2, 3], values: [5, Number.NaN, 7] },
      { steps: [2, 4], values: [1, null] },
    ],
    { min: 1, max: 4 },
    100,
  );
  expect(drawn.x).toEqual([1, 2, 3, 4]);
  expect(drawn.ys).toEqual([
    [5, null, 7, undefined],
    [undefined, 1, undefined, null],
  ]);
  expect(drawn.marks).toEqual([[2], []]);
});

test('a range keeps one neighbour on either side, so that lines run on to the edge', () => {
  const steps = upTo(10);
  const { x } = decimate([{ steps, values: steps }], { min: 3.5, max: 5.5 }, 100);
  expect(x).toEqual([3, 4, 5, 6]);
  expect(decimate([{ steps, values: steps }], { min: 3, max: 5 }, 100).x).toEqual([2, 3, 4, 5, 6]);
});

test('a spike among a hundred thousand points is never lost', () => {
  const steps = upTo(100_000);
  const values = steps.map((step) => (step === 54_321 ? 99 : step === 54_400 ? -99 : Math.sin(step)));
  const { x, ys } = decimate([{ steps, values }], { min: 0, max: 99_999 }, 500);
  expect(x.length).toBeLessThanOrEqual(2 * 502);
  const y = ys[0] as number[];
  expect(Math.max(...y.filter((value) => value !== undefined))).toBe(99);
  expect(Math.min(...y.filter((value) => value !== undefined))).toBe(-99);
  const spike = x[y.indexOf(99)] as number;
  expect(Math.abs(spike - 54_321)).toBeLessThan(99_999 / 500);
  expect(x.every((value, i) => i === 0 || value > (x[i - 1] as number))).toBe(true);
});

test('lowest and highest of a column come in the order in which they came', () => {
  const steps = upTo(1_000);
  const rising = decimate([{ steps, values: steps }], { min: 0, max: 999 }, 10).ys[0] as number[];
  const seen = rising.filter((value) => value !== undefined);
  expect(seen).toEqual([...seen].sort((a, b) => a - b));
});

test('a dense line beside a thin one: each keeps its own points', () => {
  const dense = upTo(10_000);
  const { x, ys } = decimate(
    [
      { steps: dense, values: dense.map(() => 1) },
      { steps: [0, 5_000, 9_999], values: [1, 2, 3] },
    ],
    { min: 0, max: 9_999 },
    200,
  );
  const thin = ys[1] as (number | undefined)[];
  expect(new Set(thin.filter((value) => value !== undefined))).toEqual(new Set([1, 2, 3]));
  expect(ys.every((y) => y.length === x.length)).toBe(true);
});

test('a column with nothing but NaN is a gap; marks are at most one a column', () => {
  const steps = upTo(10_000);
  const values = steps.map((step) => (step >= 4_000 && step < 6_000 ? Number.NaN : 1));
  const { ys, marks } = decimate([{ steps, values }], { min: 0, max: 9_999 }, 100);
  expect(ys[0]).toContain(null);
  expect(marks[0]?.length).toBeGreaterThan(15);
  expect(marks[0]?.length).toBeLessThanOrEqual(21);
});

test('a log scale has no place for zero and below', () => {
  const drawn = decimate([{ steps: [1, 2, 3], values: [1, 0, -1] }], { min: 1, max: 3 }, 100, true);
  expect(drawn.ys[0]).toEqual([1, null, null]);
  expect(drawn.marks[0]).toEqual([]);
});

test('nothing at all', () => {
  expect(decimate([{ steps: [], values: [] }], { min: 0, max: 1 }, 100)).toEqual({ x: [], ys: [[]], marks: [[]] });
});
