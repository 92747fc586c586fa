/** The table of several runs: what each was, was told, and reached. Pure. */
import type { Job, Schemas } from '~/api/client';
import { asNumber } from '~/format/format';

export type Value = string | number | boolean | null;
export type Fact = (typeof FACTS)[number];
export type Row = {
  key: string;
  /** A metric's or parameter's own name; facts have words. */
  name: string;
  fact?: Fact;
  values: Value[];
  differs: boolean;
};
export type Section = { id: 'run' | 'params' | 'metrics' | 'environment'; rows: Row[] };

const FACTS = [
  'state',
  'reason',
  'trainer',
  'task',
  'model',
  'dataset',
  'tier',
  'image',
  'parent',
  'resumed',
  'epochs',
  'seconds',
  'gpus',
  'cpu',
  'memory',
  'replicas',
  'code',
] as const;

export type Run = { job: Job; around: Schemas['SurroundingsOut'] | null };

export function sections(runs: readonly Run[]): Section[] {
  const told: Section[] = [
    {
      id: 'run',
      rows: FACTS.map((fact) =>
        row(
          fact,
          fact,
          runs.map((run) => factOf(run, fact)),
          fact,
        ),
      ),
    },
    { id: 'params', rows: rowsOf(runs, ({ job }) => job.params) },
    { id: 'metrics', rows: rowsOf(runs, metricsOf) },
    { id: 'environment', rows: rowsOf(runs, environmentOf) },
  ];
  // what none of them has says nothing
  return told.map(({ id, rows }) => ({
    id,
    rows: rows.filter(({ values }) => values.some((value) => value !== null)),
  }));
}

function row(key: string, name: string, values: Value[], fact?: Fact): Row {
  return { key, name, fact, values, differs: values.some((value) => !Object.is(value, values[0])) };
}

function rowsOf(runs: readonly Run[], told: (run: Run) => Readonly<Record<string, Value>>): Row[] {
  const each = runs.map(told);
  const names = [...new Set(each.flatMap((one) => Object.keys(one)))].sort((a, b) => a.localeCompare(b, 'en'));
  return names.map((name) =>
    row(
      name,
      name,
      each.map((one) => (Object.hasOwn(one, name) ? (one[name] ?? null) : null)),
    ),
  );
}

function factOf({ job, around }: Run, fact: Fact): Value {
  switch (fact) {
    case 'state':
      return job.state;
    case 'reason':
      return job.reason;
    case 'trainer':
      return job.framework;
    case 'task':
      return job.task;
    case 'model':
      return job.model;
    case 'dataset':
      return job.dataset_id;
    case 'tier':
      return job.execution;
    case 'image':
      return job.image;
    case 'parent':
      return job.parent_id;
    case 'resumed':
      return job.resume_from;
    case 'epochs':
      return job.epoch;
    case 'seconds':
      return job.started_at === null || job.finished_at === null ? null : job.finished_at - job.started_at;
    case 'gpus':
      return job.gpus;
    case 'cpu':
      return job.resources.cpu ?? null;
    case 'memory':
      return job.resources.memory ?? null;
    case 'replicas':
      return job.resources.replicas ?? null;
    case 'code':
      return (around?.code_hash ?? job.code_hash)?.slice(0, 12) ?? null;
  }
}

/** Of each metric the value that counts: the best of the one the trainer goes by, the last of all others. */
function metricsOf({ job }: Run): Record<string, Value> {
  return Object.fromEntries(
    Object.entries(job.metrics ?? {}).map(([name, summary]) => {
      const which = name === job.best_metric && job.best_mode ? job.best_mode : 'last';
      return [name, asNumber(summary[which])];
    }),
  );
}

const ASIDE = new Set(['packages', 'variables', 'other_variables']);

function environmentOf({ around }: Run): Record<string, Value> {
  const told = around?.environment ?? {};
  const facts = Object.entries(told).flatMap(([name, value]): [string, Value][] =>
    ASIDE.has(name) ? [] : [[name, plain(value)]],
  );
  const packages = Object.entries(isRecord(told.packages) ? told.packages : {}).map(
    ([name, version]): [string, Value] => [`${name} ==`, plain(version)],
  );
  return Object.fromEntries([...facts, ...packages]);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function plain(value: unknown): Value {
  if (value === null || value === undefined) return null;
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') return value;
  const text = JSON.stringify(value);
  return text === '[]' || text === '{}' ? null : text;
}

/** How far a number is from the base's; null where that means nothing. */
export function change(value: Value, base: Value): number | null {
  if (typeof value !== 'number' || typeof base !== 'number') return null;
  const by = value - base;
  return Number.isFinite(by) && by !== 0 ? by : null;
}

/** The place of the best value among several; null where none is better than another. */
export function bestPlace(values: readonly Value[], mode: 'max' | 'min' | null | undefined): number | null {
  const numbers = values.map((value) => (typeof value === 'number' && Number.isFinite(value) ? value : null));
  const known = numbers.filter((number) => number !== null);
  if (!mode || known.length < 2 || new Set(known).size < 2) return null;
  return numbers.indexOf(mode === 'max' ? Math.max(...known) : Math.min(...known));
}
