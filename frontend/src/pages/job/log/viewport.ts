/** Which lines stand where, for any number of them. A scroll position is a share of all there is (0: the start is at the
 * top, 1: the end is at the bottom); the line at that share stands at that share of the height. With lines of one
 * height this is exactly ordinary scrolling; with others it still begins at the start and ends at the end. Pure. */

export const ROW = 18; // pixels
/** Browsers draw nothing beyond 17 to 33 million pixels: beyond this, a pixel of scrolling is more than one. */
const TALLEST = 15_000_000;
const SPARE = 10; // rows around what is seen

export type View = {
  /** Rows to draw: from, up to (without). */
  from: number;
  to: number;
  /** The row at the anchor, how much of it lies above, and the anchor's place from the top. */
  anchor: number;
  above: number;
  y: number;
};

/** How high the scrolled area is made. */
export function areaHeight(rows: number, row: number): number {
  return Math.min(rows * row, TALLEST);
}

/** The share for a scroll position. */
export function shareOf(scrollTop: number, area: number, height: number): number {
  return area > height ? Math.min(1, Math.max(0, scrollTop / (area - height))) : 0;
}

export function viewAt(share: number, rows: number, height: number): View {
  if (rows === 0) return { from: 0, to: 0, anchor: 0, above: 0, y: 0 };
  const place = share * rows;
  const anchor = Math.min(rows - 1, Math.floor(place));
  const y = share * height;
  return {
    from: Math.max(0, anchor - Math.ceil(y / ROW) - SPARE),
    to: Math.min(rows, anchor + Math.ceil((height - y) / ROW) + 1 + SPARE),
    anchor,
    above: place - anchor,
    y,
  };
}

/** The share at which a row stands in the middle. */
export function shareFor(index: number, rows: number, row: number, height: number): number {
  const room = rows * row - height;
  return room <= 0 ? 0 : Math.min(1, Math.max(0, (index * row + row / 2 - height / 2) / room));
}

/** The share at which everything stands where it stood, after rows were put before. */
export function shareAfterPrepend(share: number, before: number, after: number, row: number, height: number): number {
  const wasAt = share * Math.max(0, before * row - height);
  const room = after * row - height;
  return room <= 0 ? 0 : Math.min(1, (wasAt + (after - before) * row) / room);
}

/** The share at which everything stands where it stood, after rows came at the end. */
export function shareAfterAppend(share: number, before: number, after: number, row: number, height: number): number {
  const room = after * row - height;
  return room <= 0 ? 0 : Math.min(1, (share * Math.max(0, before * row - height)) / room);
}
