/** What a job asks of a machine or a cluster, as text in fields, and back: contract/resources.py in short. */
import type { Schemas } from '~/api/client';
import type { Wrong } from './wrong';

export const WISHES = [
  'gpus',
  'cpu',
  'memory',
  'replicas',
  'queue',
  'cpu_limit',
  'shm',
  'image',
  'node_selector',
  'tolerations',
] as const;
export type Wish = (typeof WISHES)[number];
export type Wishes = Record<Wish, string>;
type Resources = Schemas['Resources'];
type Toleration = Schemas['Toleration'];

export const NO_WISHES: Wishes = {
  gpus: '',
  cpu: '',
  memory: '',
  replicas: '',
  queue: '',
  cpu_limit: '',
  shm: '',
  image: '',
  node_selector: '',
  tolerations: '',
};

/** What a job asked for. `gpus` may be said in two places. */
export function wishesOf(gpus: number | null, resources: Partial<Resources>): Wishes {
  const wishes = { ...NO_WISHES };
  for (const name of ['cpu', 'memory', 'queue', 'cpu_limit', 'shm', 'image'] as const)
    wishes[name] = resources[name] ?? '';
  wishes.gpus = String(gpus ?? resources.gpus ?? '');
  wishes.replicas = String(resources.replicas ?? '');
  wishes.node_selector = Object.entries(resources.node_selector ?? {})
    .map(([name, value]) => `${name}=${value}`)
    .join(', ');
  wishes.tolerations = (resources.tolerations ?? []).map(tolerationText).join(', ');
  return wishes;
}

function tolerationText({ key, operator, value, effect }: Toleration): string {
  return `${key}${operator === 'Equal' ? `=${value}` : ''}${effect ? `:${effect}` : ''}`;
}

/** For a body that asks a cluster; fields that are empty or wrong are left out. */
export function resourcesOf(wishes: Wishes): Resources {
  const resources: Resources = { tolerations: readTolerations(wishes.tolerations) ?? [] };
  for (const name of ['cpu', 'memory', 'queue', 'cpu_limit', 'shm', 'image'] as const)
    if (wishes[name].trim() !== '') resources[name] = wishes[name].trim();
  if (wishes.replicas.trim() !== '') resources.replicas = Number(wishes.replicas);
  const selector = readSelector(wishes.node_selector);
  if (selector !== null && Object.keys(selector).length > 0) resources.node_selector = selector;
  return resources;
}

const pieces = (text: string) =>
  text
    .split(',')
    .map((piece) => piece.trim())
    .filter((piece) => piece !== '');

/** null: it is none. */
export function readSelector(text: string): Record<string, string> | null {
  const found: Record<string, string> = {};
  for (const piece of pieces(text)) {
    const match = /^([A-Za-z0-9][A-Za-z0-9./_-]*)=([A-Za-z0-9._-]*)$/.exec(piece);
    if (match?.[1] === undefined || match[2] === undefined) return null;
    found[match[1]] = match[2];
  }
  return found;
}

const TOLERATION =
  /^([A-Za-z0-9][A-Za-z0-9./_-]*)(?:=([A-Za-z0-9._-]*))?(?::(NoSchedule|PreferNoSchedule|NoExecute))?$/;

export function readTolerations(text: string): Toleration[] | null {
  const found: Toleration[] = [];
  for (const piece of pieces(text)) {
    const match = TOLERATION.exec(piece);
    if (match?.[1] === undefined) return null;
    const equal = match[2] !== undefined;
    found.push({
      key: match[1],
      operator: equal ? 'Equal' : 'Exists',
      value: match[2] ?? '',
      effect: (match[3] as Toleration['effect']) ?? null,
    });
  }
  return found;
}

const UNITS: Record<string, number> = {
  '': 1,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  P: 1e15,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
  Pi: 2 ** 50,
};

/** Bytes; null: no amount of memory. */
export function memoryBytes(text: string): number | null {
  const match = /^(\d{1,15}(?:\.\d{1,9})?|\.\d{1,9})(k|[MGTP]|[KMGTP]i)?$/.exec(text.trim());
  return match === null ? null : Number(match[1]) * (UNITS[match[2] ?? ''] ?? 1);
}

/** CPUs; null: no number of them. */
export function cpuCount(text: string): number | null {
  const match = /^(\d{1,15}(?:\.\d{1,9})?|\.\d{1,9})(m)?$/.exec(text.trim());
  return match === null ? null : Number(match[1]) * (match[2] ? 0.001 : 1);
}

const PART = '[a-z0-9]+(?:(?:\\.|_{1,2}|-+)[a-z0-9]+)*';
const IMAGE = new RegExp(
  `^(?:[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?(?::[0-9]{1,5})?/)?${PART}(?:/${PART})*(?::[A-Za-z0-9_][A-Za-z0-9._-]{0,127})?(?:@sha256:[0-9a-f]{64})?$`,
);

function checkCpu(text: string): Wrong | null {
  const count = cpuCount(text);
  return count === null || count < 0.001 || count > 10_000 ? (say) => say.cpu : null;
}

function checkMemory(text: string): Wrong | null {
  const count = memoryBytes(text);
  if (count === null || count > 2 ** 50) return (say) => say.memory;
  return count < 2 ** 20 ? (say) => say.memoryUnit(text.replace(/[A-Za-z]+$/, '')) : null;
}

function checkCount(text: string, from: number, to: number): Wrong | null {
  if (!/^\d+$/.test(text)) return (say) => say.integer;
  if (Number(text) < from) return (say) => say.atLeast(String(from));
  return Number(text) > to ? (say) => say.atMost(String(to)) : null;
}

const CHECKS: Record<Wish, (text: string) => Wrong | null> = {
  gpus: (text) => checkCount(text, 0, 64),
  cpu: checkCpu,
  memory: checkMemory,
  replicas: (text) => checkCount(text, 1, 256),
  queue: (text) => (/^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/.test(text) ? null : (say) => say.queue),
  cpu_limit: checkCpu,
  shm: checkMemory,
  image: (text) => (text.length <= 500 && IMAGE.test(text) ? null : (say) => say.image),
  node_selector: (text) => (readSelector(text) === null ? (say) => say.selector : null),
  tolerations: (text) => (readTolerations(text) === null ? (say) => say.tolerations : null),
};

/** What is wrong with a job's wishes, each alone and together. Empty ones are left to the defaults. */
export function checkWishes(wishes: Wishes, distributed: boolean): Map<Wish, Wrong> {
  const wrong = new Map<Wish, Wrong>();
  for (const name of WISHES) {
    const text = wishes[name].trim();
    const found = text === '' ? null : CHECKS[name](text);
    if (found !== null) wrong.set(name, found);
  }
  if (exceeds(cpuCount, wishes.cpu, wishes.cpu_limit)) put(wrong, 'cpu_limit', (say) => say.cpuLimitBelow);
  if (exceeds(memoryBytes, wishes.shm, wishes.memory)) put(wrong, 'shm', (say) => say.shmAbove);
  if (!distributed && Number(wishes.replicas) > 1) put(wrong, 'replicas', (say) => say.oneProcess);
  return wrong;
}

function put(wrong: Map<Wish, Wrong>, name: Wish, one: Wrong): void {
  if (!wrong.has(name)) wrong.set(name, one);
}

function exceeds(read: (text: string) => number | null, one: string, other: string): boolean {
  const [a, b] = [read(one), read(other)];
  return a !== null && b !== null && a > b;
}
