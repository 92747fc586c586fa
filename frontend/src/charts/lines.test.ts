// @vitest-environment node
import { expect, test } from 'vitest';
import { stepBeside, zoomed } from './keys';
import { bounds, extent, firstAt, nearest } from './lines';
import { smooth } from './smooth';

test('the first place at or after a step', () => {
  expect([0, 1, 2, 5, 9].map((x) => firstAt([1, 2, 5], x))).toEqual([0, 0, 1, 2, 3]);
});

test('the nearest step, but not far beyond the ends of a line', () => {
  const steps = [1, 2, 5];
  expect(nearest(steps, 2.4)).toBe(1);
  expect(nearest(steps, 4)).toBe(2);
  expect(nearest(steps, 0.6)).toBe(0);
  expect(nearest(steps, 0.4)).toBeNull();
  expect(nearest(steps, 40)).toBeNull();
  expect(nearest([], 1)).toBeNull();
  expect(nearest([3], 3.4)).toBe(0);
});

test('from where to where lines go', () => {
  expect(extent([{ steps: [3, 9] }, { steps: [] }, { steps: [1] }])).toEqual({ min: 1, max: 9 });
  expect(extent([{ steps: [] }])).toBeNull();
});

test('lowest and highest without what is no number', () => {
  expect(bounds([Number.NaN, 2, null, -1, Number.POSITIVE_INFINITY])).toEqual({ low: -1, high: 2 });
  expect(bounds([Number.NaN, null])).toBeNull();
});

test('smoothing begins at the first value, and leaves gaps where they are', () => {
  const smoothed = smooth([10, 0, Number.NaN, 0, null], 0.5);
  expect(smoothed[0]).toBe(10);
  expect(smoothed[1]).toBeCloseTo(10 / 3);
  expect(smoothed[2]).toBeNaN();
  expect(smoothed[3]).toBeCloseTo(10 / 7);
  expect(smoothed[4]).toBeNull();
  expect(smooth([1, 5], 0)).toEqual([1, 5]);
});

test('a constant stays itself however smooth', () => {
  for (const value of smooth([3, 3, 3], 0.99)) expect(value).toBeCloseTo(3);
});

test('the keyboard goes to the next step of any line', () => {
  const lines = [{ steps: [1, 3] }, { steps: [2, 6] }];
  expect(stepBeside(lines, 1, 1)).toBe(2);
  expect(stepBeside(lines, 3, 1)).toBe(6);
  expect(stepBeside(lines, 3, -1)).toBe(2);
  expect(stepBeside(lines, 1, -1)).toBeNull();
  expect(stepBeside(lines, 6, 1)).toBeNull();
});

test('zooming stays inside, and out again is everything', () => {
  const all = { min: 0, max: 100 };
  expect(zoomed(all, 100, 0.5, all)).toEqual({ min: 50, max: 100 });
  expect(zoomed({ min: 50, max: 100 }, 100, 2, all)).toBeNull();
});
