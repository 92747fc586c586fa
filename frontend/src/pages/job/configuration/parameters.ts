/** A job's parameters beside what they would have been. Pure. */
import type { Job, Schemas } from '~/api/client';

type Manifest = Schemas['Manifest'];
export type Scalar = boolean | number | string;

export type ParameterRow = {
  name: string;
  value: Scalar;
  /** undefined: its trainer does not know it (any more). */
  usual: Scalar | undefined;
  changed: boolean;
  help: { en: string; ko: string };
};

/** As its trainer lists them; what that does not know comes last. */
export function parameterRows(job: Pick<Job, 'params' | 'task'>, manifest: Manifest | null): ParameterRow[] {
  const declared = manifest?.params ?? {};
  const forTask = manifest?.tasks[job.task]?.defaults ?? {};
  const order = Object.keys(declared);
  const core = order.filter((name) => declared[name]?.core);
  const names = [...core, ...order.filter((name) => !core.includes(name)), ...Object.keys(job.params).sort()];
  return [...new Set(names)].flatMap((name): ParameterRow[] => {
    const value = job.params[name];
    if (value === undefined) return [];
    const known = declared[name];
    const usual = forTask[name] ?? known?.default;
    const help = { en: known?.help ?? '', ko: known?.help_ko || known?.help || '' };
    return [{ name, value, usual, changed: usual !== undefined && usual !== value, help }];
  });
}

/** What a trainer told of its surroundings, as far as it is what we know. */
export type Told = {
  facts: [name: string, value: string][];
  packages: [name: string, version: string][];
  variables: [name: string, value: string][];
  others: string[];
  cut: boolean;
};

const GROUPS = new Set(['packages', 'variables', 'other_variables', 'cut']);

export function toldOf(environment: Record<string, unknown> | null): Told {
  const told = environment ?? {};
  return {
    facts: Object.entries(told).flatMap(([name, value]): [string, string][] => {
      if (GROUPS.has(name)) return [];
      const shown = asText(value);
      return shown === '' ? [] : [[name, shown]];
    }),
    packages: pairs(told.packages),
    variables: pairs(told.variables),
    others: Array.isArray(told.other_variables) ? told.other_variables.map(String) : [],
    cut: told.cut === true,
  };
}

function asText(value: unknown): string {
  if (value === null || value === undefined) return '';
  if (Array.isArray(value)) return value.map(asText).filter(Boolean).join(', ');
  if (typeof value !== 'object') return String(value);
  return Object.entries(value)
    .filter(([, part]) => part !== null && part !== '')
    .map(([name, part]) => `${name} ${asText(part)}`)
    .join(', ');
}

function pairs(value: unknown): [string, string][] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return [];
  return Object.entries(value).map(([name, part]) => [name, asText(part)]);
}

export function filtered<T extends readonly string[]>(rows: readonly T[], text: string): T[] {
  const wanted = text.trim().toLowerCase();
  return rows.filter((row) => row.some((part) => part.toLowerCase().includes(wanted)));
}

/** What was asked of a cluster, as far as anything was. */
export function wishes(resources: Schemas['Resources']): [name: keyof Schemas['Resources'], value: string][] {
  const names = ['cpu', 'cpu_limit', 'memory', 'shm', 'gpus', 'replicas', 'queue', 'image'] as const;
  const plain = names.flatMap((name): [keyof Schemas['Resources'], string][] => {
    const value = resources[name];
    return value === null || value === undefined ? [] : [[name, String(value)]];
  });
  const labels = Object.entries(resources.node_selector ?? {}).map(([name, value]) => `${name}=${value}`);
  const taints = resources.tolerations.map(({ key, value, effect }) =>
    [value ? `${key}=${value}` : key, effect].filter(Boolean).join(':'),
  );
  return [
    ...plain,
    ...(labels.length > 0 ? [['node_selector', labels.join(', ')] as [keyof Schemas['Resources'], string]] : []),
    ...(taints.length > 0 ? [['tolerations', taints.join(', ')] as [keyof Schemas['Resources'], string]] : []),
  ];
}
