import { describe, expect, it } from 'vitest';
import { chunksFor, columnsFor, GAP, stepOf } from './layout';

describe('the grid of pictures', () => {
  it('fills its width with whole columns', () => {
    for (const width of [280, 358, 900, 1103, 2500]) {
      const { columns, side } = columnsFor(width);
      expect(columns * (side + GAP) - GAP).toBeLessThanOrEqual(width);
      expect(columns).toBeGreaterThanOrEqual(2);
      expect(side).toBeGreaterThanOrEqual(100);
    }
  });

  it('asks for what is seen, and for the first chunk', () => {
    expect(chunksFor(0, 30, null)).toEqual([0]);
    expect(chunksFor(0, 30, 0)).toEqual([0]);
    expect(chunksFor(230, 250, 10_000)).toEqual([0, 1, 2]);
    expect(chunksFor(9_990, 10_100, 10_000)).toEqual([0, 83]);
  });

  it('moves with the arrows and stops at the ends', () => {
    expect(stepOf('ArrowRight', 3, 10)).toBe(4);
    expect(stepOf('ArrowRight', 9, 10)).toBe(9);
    expect(stepOf('ArrowLeft', 0, 10)).toBe(0);
    expect(stepOf('End', 0, 10)).toBe(9);
    expect(stepOf('a', 0, 10)).toBeNull();
  });
});
