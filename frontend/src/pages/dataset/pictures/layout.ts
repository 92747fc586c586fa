/** Where pictures lie in the grid, and which chunks of them are needed to show a part of it. */
import { CHUNK } from '../queries';

export const GAP = 8;
export const CAPTION = 40;
const SMALLEST = 132;

/** As many columns as fit, all of one width. */
export function columnsFor(width: number): { columns: number; side: number } {
  const columns = Math.max(2, Math.floor((width + GAP) / (SMALLEST + GAP)));
  return { columns, side: Math.max(1, Math.floor((width + GAP) / columns) - GAP) };
}

/** The first one always: it says how many there are. */
export function chunksFor(first: number, last: number, total: number | null): number[] {
  const chunks = new Set([0]);
  const end = Math.min(last, (total ?? 1) - 1);
  for (let chunk = Math.floor(Math.max(0, first) / CHUNK); chunk <= Math.floor(end / CHUNK); chunk++) chunks.add(chunk);
  return [...chunks];
}

/** Where a key leads from `at` in full screen; null: not a key of ours. */
export function stepOf(key: string, at: number, total: number): number | null {
  const to = { ArrowRight: at + 1, ArrowDown: at + 1, ArrowLeft: at - 1, ArrowUp: at - 1, Home: 0, End: total - 1 }[
    key
  ];
  return to === undefined ? null : Math.min(total - 1, Math.max(0, to));
}
