/** Which jobs, in which order: as the address says it (plain names), and as the API is asked for it. */
import type { paths } from '~/api/schema';
import type { Search } from '~/app/search';

export const SORTS = [
  'created',
  'started',
  'finished',
  'duration',
  'name',
  'state',
  'framework',
  'model',
  'dataset',
  'metric',
] as const;
export type Sort = (typeof SORTS)[number];

export const BESTS = ['best', 'last', 'min', 'max'] as const;
/** Which of a metric's values; `best`: the one its trainer would take. */
export type Best = (typeof BESTS)[number];

const FILTERS = ['state', 'trainer', 'dataset', 'tier', 'tag', 'project', 'search'] as const;
export type Filter = (typeof FILTERS)[number];

export type Chosen = Record<Filter, string> & {
  sort: Sort;
  descending: boolean;
  /** Empty: each job's own best one. */
  metric: string;
  best: Best;
};

type Asked = NonNullable<paths['/v1/jobs']['get']['parameters']['query']>;

const among = <T extends string>(words: readonly T[], word: string | undefined, otherwise: T): T =>
  words.find((one) => one === word) ?? otherwise;

/** Words that mean nothing are as if they weren't there: an address may be typed by hand. */
export function readChosen(search: Search): Chosen {
  const sort = among(SORTS, search.sort, 'created');
  return {
    state: search.state ?? '',
    trainer: search.trainer ?? '',
    dataset: search.dataset ?? '',
    tier: search.tier ?? '',
    tag: search.tag ?? '',
    project: search.project ?? '',
    search: search.search ?? '',
    sort,
    descending: search.order === undefined ? descends(sort) : search.order === 'desc',
    metric: search.metric ?? '',
    best: among(BESTS, search.best, 'best'),
  };
}

/** The shortest address that says the same. */
export function writeChosen(chosen: Chosen): Search {
  const { sort, descending, best } = chosen;
  const said: Search = {};
  for (const name of FILTERS) if (chosen[name] !== '') said[name] = chosen[name];
  if (sort !== 'created') said.sort = sort;
  if (descending !== descends(sort)) said.order = descending ? 'desc' : 'asc';
  if (chosen.metric !== '') said.metric = chosen.metric;
  if (best !== 'best') said.best = best;
  return said;
}

/** Which way a column goes at the first click: newest and largest first, names from the beginning. */
export function descends(sort: Sort): boolean {
  return !['name', 'state', 'framework', 'model', 'dataset'].includes(sort);
}

export function isFiltered(chosen: Chosen): boolean {
  return FILTERS.some((name) => chosen[name] !== '');
}

export function withoutFilters(chosen: Chosen): Chosen {
  const cleared = { ...chosen };
  for (const name of FILTERS) cleared[name] = '';
  return cleared;
}

/** A comma list with a value taken in or out. */
export function toggled(list: string, value: string): string {
  const values = listed(list);
  return (values.includes(value) ? values.filter((one) => one !== value) : [...values, value]).join(',');
}

export function listed(list: string): string[] {
  return list === '' ? [] : list.split(',');
}

const STATES = ['PENDING', 'QUEUED', 'RUNNING', 'SUCCEEDED', 'FAILED', 'CANCELLED'];
const TIERS = ['local', 'k8s', 'image'];
const known = (list: string, words: string[]) =>
  listed(list)
    .filter((word) => words.includes(word))
    .join(',');

export function askedFilters(chosen: Chosen): Asked {
  return {
    state: known(chosen.state, STATES) || undefined,
    framework: chosen.trainer || undefined,
    dataset_id: chosen.dataset || undefined,
    execution: known(chosen.tier, TIERS) || undefined,
    tag: chosen.tag || undefined,
    project_id: chosen.project || undefined,
    search: chosen.search || undefined,
  };
}

export function askedOrder(chosen: Chosen): Asked {
  const { sort, descending, metric, best } = chosen;
  const byMetric = sort === 'metric' && metric !== '';
  return {
    sort: sort === 'created' || (sort === 'metric' && !byMetric) ? undefined : sort,
    order: descending ? undefined : 'asc',
    metric: byMetric ? metric : undefined,
    best: byMetric && best !== 'best' ? best : undefined,
  };
}

/** All that is chosen as CSV. */
export function exportUrl(chosen: Chosen): string {
  const asked = Object.entries({ ...askedFilters(chosen), ...askedOrder(chosen) });
  const said = asked.flatMap(([name, value]) => (value === undefined || value === null ? [] : [[name, String(value)]]));
  const text = new URLSearchParams(said).toString();
  return `/v1/jobs/export${text === '' ? '' : `?${text}`}`;
}
