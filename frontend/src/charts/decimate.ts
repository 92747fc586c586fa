/** As many points as there are pixels: of each pixel column the lowest and the highest, so that no spike is lost. */
import { firstAt, type Line, type Range } from './lines';

/** `null`: the line breaks here. `undefined`: this line has no point here and runs on. */
export type Value = number | null | undefined;
export type Plotted = {
  x: number[];
  ys: Value[][] /** Where each line was NaN or infinite, once a column. */;
  marks: number[][];
};
type Points = Pick<Line, 'steps' | 'values'>;

/** The part of `lines` within `range`, for a plot of so many columns. With `positive` what a log scale can't show is a gap. */
export function decimate(lines: readonly Points[], range: Range, columns: number, positive = false): Plotted {
  const parts = lines.map((line) => within(line, range));
  const most = Math.max(0, ...parts.map(([from, to]) => to - from));
  const usable = (value: number | null) => value !== null && Number.isFinite(value) && (!positive || value > 0);
  const drawn = most <= 2 * columns ? exact(lines, parts, usable) : byColumn(lines, parts, range, columns, usable);
  return { ...drawn, marks: lines.map((line, i) => marks(line, parts[i] as Part, range, columns)) };
}

type Part = [from: number, to: number];

/** With a neighbour on either side, so that the line runs on to the edge. */
function within({ steps }: Points, range: Range): Part {
  const from = Math.max(0, firstAt(steps, range.min) - 1);
  const after = firstAt(steps, range.max);
  return [from, Math.min(steps.length, after + (steps[after] === range.max ? 2 : 1))];
}

type Usable = (value: number | null) => boolean;

/** Every point at its place. */
function exact(lines: readonly Points[], parts: Part[], usable: Usable): { x: number[]; ys: Value[][] } {
  const all = new Set<number>();
  lines.forEach(({ steps }, i) => {
    const [from, to] = parts[i] as Part;
    for (let at = from; at < to; at++) all.add(steps[at] as number);
  });
  const x = [...all].sort((a, b) => a - b);
  const ys = lines.map(({ steps, values }, i) => {
    let [at, to] = parts[i] as Part;
    return x.map((step): Value => {
      if (at >= to || steps[at] !== step) return undefined;
      const value = values[at++] ?? null;
      return usable(value) ? value : null;
    });
  });
  return { x, ys };
}

/** Two places a column: the lowest and the highest in the order in which they came. */
function byColumn(lines: readonly Points[], parts: Part[], range: Range, columns: number, usable: Usable) {
  const width = (range.max - range.min) / columns;
  // one column more on either side, for the neighbours outside
  const x = Array.from(
    { length: 2 * (columns + 2) },
    (_, i) => range.min + (Math.floor(i / 2) - 1 + (i % 2 ? 0.75 : 0.25)) * width,
  );
  const ys = lines.map((line, i) => columnsOf(line, parts[i] as Part, range.min, width, columns, usable));
  return { x, ys };
}

function columnsOf(
  { steps, values }: Points,
  [from, to]: Part,
  min: number,
  width: number,
  columns: number,
  usable: Usable,
): Value[] {
  const y: Value[] = new Array(2 * (columns + 2)).fill(undefined);
  let at = from;
  while (at < to) {
    const column = columnAt(steps[at] as number, min, width, columns);
    const end = column > columns ? Number.POSITIVE_INFINITY : min + column * width;
    let low = -1;
    let high = -1;
    do {
      const value = values[at] as number | null;
      if (usable(value)) {
        if (low < 0 || (value as number) < (values[low] as number)) low = at;
        if (high < 0 || (value as number) > (values[high] as number)) high = at;
      }
      at++;
    } while (at < to && (steps[at] as number) < end);
    y[2 * column] = low < 0 ? null : values[Math.min(low, high)];
    y[2 * column + 1] = low < 0 ? null : values[Math.max(low, high)];
  }
  return y;
}

function columnAt(step: number, min: number, width: number, columns: number): number {
  return Math.min(columns + 1, Math.max(0, Math.floor((step - min) / width) + 1));
}

function marks({ steps, values }: Points, [from, to]: Part, range: Range, columns: number): number[] {
  const found: number[] = [];
  const width = (range.max - range.min) / columns || 1;
  let last = Number.NEGATIVE_INFINITY;
  for (let at = from; at < to; at++) {
    const value = values[at];
    if (value == null || Number.isFinite(value)) continue;
    const step = steps[at] as number;
    if (step < range.min || step > range.max || step - last < width) continue;
    found.push(step);
    last = step;
  }
  return found;
}
