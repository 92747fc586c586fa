/** What is drawn on a sample, and what is said of it. Pure. */
import type { Box } from '~/pictures/boxes';
import type { Epoch, Mark, Sample } from './samples';

export type Shown = { truth: boolean; found: boolean; hidden: ReadonlySet<string> };

/** The boxes of a detection: what is true dashed, what was found solid. */
export function boxesOf(sample: Sample, { truth, found, hidden }: Shown): Box[] {
  const boxes = (marks: readonly Mark[], dashed: boolean): Box[] =>
    marks.flatMap(({ label, box, confidence }) =>
      box && !hidden.has(label) ? [{ label, box, dashed, confidence: confidence ?? null }] : [],
    );
  return [...(truth ? boxes(sample.truth, true) : []), ...(found ? boxes(sample.found, false) : [])];
}

export function isDetection(epochs: readonly Epoch[]): boolean {
  return epochs.some(({ items }) => items.some((item) => [...item.truth, ...item.found].some((mark) => mark.box)));
}

export type Verdict = { label: string | null; confidence: number | null; wanted: string | null; right: boolean | null };

/** What a classifier took a picture for; `right` is null where nobody says what it is. */
export function verdictOf(sample: Sample): Verdict {
  const best = sample.found.reduce<Sample['found'][number] | null>(
    (best, one) => (best === null || one.confidence > best.confidence ? one : best),
    null,
  );
  const wanted = sample.truth[0]?.label ?? null;
  return {
    label: best?.label ?? null,
    confidence: best?.confidence ?? null,
    wanted,
    right: wanted === null ? null : best?.label === wanted,
  };
}

/** Every class that any epoch knows, so that the list stays what it is while one moves through the epochs. */
export function classesOf(epochs: readonly Epoch[]): string[] {
  const found = new Set<string>();
  for (const { items } of epochs)
    for (const item of items) for (const mark of [...item.truth, ...item.found]) found.add(mark.label);
  return [...found].sort((one, other) => one.localeCompare(other, undefined, { numeric: true }));
}

/** Which samples of an epoch are shown: of a classification those of the classes that are on. */
export function seen(items: readonly Sample[], detection: boolean, hidden: ReadonlySet<string>): Sample[] {
  if (detection || hidden.size === 0) return [...items];
  return items.filter((item) => [...item.truth, ...item.found].some((mark) => !hidden.has(mark.label)));
}

/** The epoch that is shown: the chosen one while it is there, else the newest. */
export function epochAt(epochs: readonly Epoch[], chosen: number | null): number {
  const at = chosen === null ? -1 : epochs.findIndex((one) => one.epoch === chosen);
  return at >= 0 ? at : epochs.length - 1;
}
