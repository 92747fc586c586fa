import { describe, expect, it } from 'vitest';
import { areaHeight, ROW, shareAfterAppend, shareAfterPrepend, shareFor, shareOf, viewAt } from './viewport';

const HEIGHT = 400;

/** Where the top of a row is, by the view. */
function topOf(row: number, share: number, rows: number): number {
  const view = viewAt(share, rows, HEIGHT);
  return view.y - view.above * ROW + (row - view.anchor) * ROW;
}

describe('viewAt', () => {
  it('is ordinary scrolling where rows have one height', () => {
    const rows = 1_000;
    const area = areaHeight(rows, ROW);
    for (const scrollTop of [0, 1, 777, 10_000, area - HEIGHT]) {
      const share = shareOf(scrollTop, area, HEIGHT);
      expect(topOf(0, share, rows)).toBeCloseTo(-scrollTop, 6);
    }
  });

  it('draws all that is seen, and little more', () => {
    for (const share of [0, 0.3, 0.5, 0.999, 1]) {
      const rows = 3_000_000;
      const view = viewAt(share, rows, HEIGHT);
      expect(view.to - view.from).toBeLessThan(60);
      if (view.from > 0) expect(topOf(view.from, share, rows)).toBeLessThanOrEqual(0);
      if (view.to < rows) expect(topOf(view.to, share, rows)).toBeGreaterThanOrEqual(HEIGHT);
    }
  });

  it('begins at the start and ends at the end, beyond what a browser can draw', () => {
    const rows = 5_000_000;
    const area = areaHeight(rows, ROW);
    expect(area).toBeLessThan(17_000_000);
    expect(topOf(0, shareOf(0, area, HEIGHT), rows)).toBe(0);
    expect(topOf(rows, shareOf(area - HEIGHT, area, HEIGHT), rows)).toBeCloseTo(HEIGHT, 6);
  });

  it('puts few rows at the top', () => {
    expect(shareOf(0, areaHeight(3, ROW), HEIGHT)).toBe(0);
    expect(topOf(0, 0, 3)).toBe(0);
    expect(viewAt(0, 0, HEIGHT).to).toBe(0);
  });
});

describe('shares', () => {
  it('put a row into the middle', () => {
    expect(topOf(500, shareFor(500, 1_000, ROW, HEIGHT), 1_000)).toBeCloseTo(HEIGHT / 2 - ROW / 2, 6);
    expect(shareFor(0, 1_000, ROW, HEIGHT)).toBe(0);
    expect(shareFor(999, 1_000, ROW, HEIGHT)).toBe(1);
    expect(shareFor(1, 3, ROW, HEIGHT)).toBe(0);
  });

  it('keep what is seen in place when rows come, before or behind', () => {
    const share = 0.25;
    const was = topOf(300, share, 1_000);
    expect(topOf(800, shareAfterPrepend(share, 1_000, 1_500, ROW, HEIGHT), 1_500)).toBeCloseTo(was, 6);
    expect(topOf(300, shareAfterAppend(share, 1_000, 1_500, ROW, HEIGHT), 1_500)).toBeCloseTo(was, 6);
  });
});
