/** The last values for each trainer, in this browser. What can't be read is as if it weren't there. */
import type { Draft, Kept, Offered } from './draft';
import { textOf } from './params';
import { changedParams } from './request';
import { WISHES, type Wishes } from './wishes';

const VERSION = 1; // another one: what was kept before is left alone
const PREFIX = `trainyard.new-job.${VERSION}`;

/** Of the parameters only those that differ from the trainer's: its defaults may change. */
export function keep(offered: Offered, draft: Draft): void {
  const { task, model, datasetId, execution, wishes, keepEpochs } = draft;
  const changed = Object.entries(changedParams(offered, draft)).map(([name, value]) => [name, textOf(value)]);
  const kept: Kept = { task, model, datasetId, params: Object.fromEntries(changed), execution, wishes, keepEpochs };
  try {
    localStorage.setItem(PREFIX, draft.framework);
    localStorage.setItem(`${PREFIX}.${draft.framework}`, JSON.stringify(kept));
  } catch {
    // a full or forbidden store: nothing is remembered
  }
}

export function lastTrainer(): string | null {
  return localStorage.getItem(PREFIX);
}

export function recall(framework: string): Kept | null {
  const text = localStorage.getItem(`${PREFIX}.${framework}`);
  if (text === null) return null;
  try {
    return read(JSON.parse(text));
  } catch {
    return null;
  }
}

export function forget(framework: string): void {
  localStorage.removeItem(`${PREFIX}.${framework}`);
}

/** Anybody may have written there: only texts of known names are taken. */
function read(found: unknown): Kept | null {
  if (!isRecord(found)) return null;
  const { task, execution, wishes } = found;
  return {
    ...(task === 'detect' || task === 'classify' ? { task } : {}),
    ...(execution === 'local' || execution === 'k8s' || execution === 'image' ? { execution } : {}),
    ...(texts(found, ['model', 'datasetId', 'keepEpochs']) as Kept),
    ...(isRecord(found.params) ? { params: texts(found.params, Object.keys(found.params)) } : {}),
    ...(isRecord(wishes) ? { wishes: texts(wishes, WISHES) as Wishes } : {}),
  };
}

function isRecord(found: unknown): found is Record<string, unknown> {
  return typeof found === 'object' && found !== null && !Array.isArray(found);
}

function texts(found: Record<string, unknown>, names: readonly string[]): Record<string, string> {
  const kept: Record<string, string> = {};
  for (const name of names) {
    const value = found[name];
    if (typeof value === 'string') kept[name] = value;
  }
  return kept;
}
