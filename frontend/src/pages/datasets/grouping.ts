/** The list as people see it: one row a name, its newest version shown and the older ones behind it. */
import type { Dataset } from '~/api/client';

export type Group = { key: string; newest: Dataset; older: Dataset[] };

/** Versions of one name in one project belong together; the newest group comes first. */
export function grouped(datasets: readonly Dataset[]): Group[] {
  const groups = new Map<string, Dataset[]>();
  for (const one of datasets) {
    const key = `${one.project_id}\n${one.name}`;
    groups.set(key, [...(groups.get(key) ?? []), one]);
  }
  return [...groups]
    .flatMap(([key, versions]) => {
      const [newest, ...older] = versions.toSorted((a, b) => b.version - a.version || b.created_at - a.created_at);
      return newest === undefined ? [] : [{ key, newest, older }];
    })
    .sort((a, b) => b.newest.created_at - a.newest.created_at);
}

/** Groups that hold every word of what is looked for, in a name, an id, a task or a class. */
export function searched(groups: readonly Group[], text: string): Group[] {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  return groups.filter(({ newest, older }) => {
    const hay = [newest, ...older].flatMap((one) => [one.name, one.id, ...one.tasks, ...facts(one).classes]);
    const text = hay.join('\n').toLowerCase();
    return words.every((word) => text.includes(word));
  });
}

export type Facts = { pictures: number | null; classes: string[]; splits: Record<string, number> };

/** What the first look at a zip found. The summary is an open object: nothing is taken for granted. */
export function facts(dataset: Dataset): Facts {
  const { pictures, classes, splits } = dataset.summary;
  return {
    pictures: typeof pictures === 'number' ? pictures : null,
    classes: Array.isArray(classes) ? classes.filter((one): one is string => typeof one === 'string') : [],
    splits: typeof splits === 'object' && splits !== null ? onlyNumbers(splits) : {},
  };
}

function onlyNumbers(values: object): Record<string, number> {
  return Object.fromEntries(
    Object.entries(values).filter((entry): entry is [string, number] => typeof entry[1] === 'number'),
  );
}

/** The version that a name gets when it is uploaded now. */
export function nextVersion(datasets: readonly Dataset[], name: string, project: string): number {
  const same = datasets.filter((one) => one.project_id === project && one.name === name.trim());
  return Math.max(0, ...same.map((one) => one.version)) + 1;
}

export type Verdict = 'waiting' | 'checking' | 'unchecked' | 'not_ready' | 'errors' | 'warnings' | 'good';

/** One word for how a dataset stands. */
export function verdict(dataset: Pick<Dataset, 'check' | 'ready'>): Verdict {
  const { state, errors, warnings } = dataset.check;
  if (state === 'waiting' || state === 'checking') return state;
  if (!dataset.ready) return 'not_ready';
  if (state === 'failed') return 'unchecked';
  return errors > 0 ? 'errors' : warnings > 0 ? 'warnings' : 'good';
}
