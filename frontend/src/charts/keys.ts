/** A chart by keyboard: the marker moves from step to step, plus and minus zoom around it. */
import type { KeyboardEvent } from 'react';
import { extent, firstAt, type Line, type Range } from './lines';
import type { ChartSync } from './sync';

export function keyMoves(event: KeyboardEvent, lines: readonly Line[], sync: ChartSync): void {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const all = extent(lines);
  if (all === null) return;
  const range = sync.zoom ?? all;
  const at = sync.hover ?? range.max;
  switch (event.key) {
    case 'ArrowLeft':
      sync.setHover(stepBeside(lines, sync.hover === null ? at + 1 : at, -1) ?? at);
      break;
    case 'ArrowRight':
      sync.setHover(stepBeside(lines, at, 1) ?? at);
      break;
    case '+':
    case '=':
      sync.setZoom(zoomed(range, at, 0.5, all));
      break;
    case '-':
      sync.setZoom(zoomed(range, at, 2, all));
      break;
    case '0':
      sync.setZoom(null);
      break;
    default:
      return;
  }
  event.preventDefault();
}

/** The next step of any line in that direction. */
export function stepBeside(lines: readonly Pick<Line, 'steps'>[], x: number, direction: 1 | -1): number | null {
  let found: number | null = null;
  for (const { steps } of lines) {
    const at = firstAt(steps, x);
    const step = direction === -1 ? steps[at - 1] : steps[at] === x ? steps[at + 1] : steps[at];
    if (step !== undefined && (found === null || (step - found) * direction < 0)) found = step;
  }
  return found;
}

/** `range` narrower or wider around `at`; null where that is all there is. */
export function zoomed(range: Range, at: number, by: number, all: Range): Range | null {
  const centre = Math.min(range.max, Math.max(range.min, at));
  const min = Math.max(all.min, centre - (centre - range.min) * by);
  const max = Math.min(all.max, centre + (range.max - centre) * by);
  return min <= all.min && max >= all.max ? null : { min, max };
}
