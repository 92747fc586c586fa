import { expect, test } from 'vitest';
import { scrollFor, windowOf } from './useWindow';

test('every row that can be seen is there, and some around', () => {
  for (const scrolled of [0, 1, 399, 4_000, 399_337]) {
    const { from, to } = windowOf(scrolled, 700, 40, 32);
    expect(from).toBeLessThanOrEqual(Math.floor(scrolled / 40));
    expect(to * 40).toBeGreaterThanOrEqual(scrolled + 700 - 32 + 40);
    expect(to - from).toBeLessThan(48);
  }
  expect(windowOf(0, 700, 40, 32).from).toBe(0);
});

test('scrolling a little moves nothing', () => {
  expect(windowOf(4_041, 700, 40, 0)).toEqual(windowOf(4_060, 700, 40, 0));
});

test('a row is brought to the edge that it lies beyond', () => {
  expect(scrollFor(5, 0, 700, 40, 32)).toBeNull();
  expect(scrollFor(5, 400, 700, 40, 32)).toBe(200);
  expect(scrollFor(20, 0, 700, 40, 32)).toBe(20 * 40 + 40 - (700 - 32));
  expect(scrollFor(3, 0, 10, 40, 32)).toBe(120);
});
