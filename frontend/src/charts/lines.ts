/** What a chart shows: lines over steps or moments. */

export type Line = {
  /** Unlike any other in its chart. */
  id: string;
  label: string;
  /** A colour of tokens.css by its name: run-0. */
  colour: string;
  dashed?: boolean;
  /** Rising: epochs, steps, or seconds since 1970. */
  steps: number[];
  /** As long as `steps`. NaN and infinities were told as such and are marked; null is a gap that says nothing. */
  values: (number | null)[];
  /** The step that gets the star. */
  best?: number | null;
};

export type Range = { min: number; max: number };

/** The first place whose step is not before `x`. */
export function firstAt(steps: ArrayLike<number>, x: number): number {
  let low = 0;
  let high = steps.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((steps[middle] as number) < x) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The place nearest to `x`; null where the line does not reach. */
export function nearest(steps: ArrayLike<number>, x: number): number | null {
  const { length } = steps;
  if (length === 0) return null;
  const after = firstAt(steps, x);
  const place = after === 0 ? 0 : after === length ? length - 1 : closer(steps, after, x);
  const beyond = Math.abs((steps[place] as number) - x);
  const inside = after > 0 && after < length;
  return inside || beyond <= spacing(steps, place) / 2 ? place : null;
}

function closer(steps: ArrayLike<number>, after: number, x: number): number {
  return (steps[after] as number) - x < x - (steps[after - 1] as number) ? after : after - 1;
}

/** How far a step is from its neighbour; one where it is alone. */
function spacing(steps: ArrayLike<number>, place: number): number {
  const other = place === 0 ? 1 : place - 1;
  return steps.length < 2 ? 1 : Math.abs((steps[place] as number) - (steps[other] as number));
}

/** From the first step of any line to the last; null without any. */
export function extent(lines: readonly Pick<Line, 'steps'>[]): Range | null {
  let min = Number.POSITIVE_INFINITY;
  let max = Number.NEGATIVE_INFINITY;
  for (const { steps } of lines) {
    if (steps.length === 0) continue;
    min = Math.min(min, steps[0] as number);
    max = Math.max(max, steps[steps.length - 1] as number);
  }
  return min <= max ? { min, max } : null;
}

/** The lowest and the highest that a line was told; null where all was NaN or nothing. */
export function bounds(values: readonly (number | null)[]): { low: number; high: number } | null {
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  for (const value of values) {
    if (value === null || !Number.isFinite(value)) continue;
    if (value < low) low = value;
    if (value > high) high = value;
  }
  return low <= high ? { low, high } : null;
}
