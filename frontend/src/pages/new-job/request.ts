/** The form as what is sent to the backend, and what the backend refused as a field of the form. */
import type { ApiError, Schemas } from '~/api/client';
import { randomKey } from '~/api/key';
import { type Draft, manifestOf, type Offered, tagsOf } from './draft';
import { defaultTexts, readParam, type Value } from './params';
import { resourcesOf } from './wishes';

export type Submit = Schemas['SubmitJob'];

/** For a form that was found right. Parameters as they are by default are left to the trainer. */
export function bodyOf(offered: Offered, draft: Draft): Submit {
  const onCluster = draft.execution !== 'local';
  return {
    project_id: draft.projectId,
    name: draft.name.trim(),
    tags: tagsOf(draft.tags),
    notes: draft.notes,
    framework: draft.framework,
    task: draft.task,
    model: draft.model.trim(),
    dataset_id: draft.datasetId,
    params: changedParams(offered, draft),
    execution: draft.execution,
    priority: Number(draft.priority),
    gpus: draft.wishes.gpus.trim() === '' ? null : Number(draft.wishes.gpus),
    keep_epochs: Number(draft.keepEpochs),
    attached: false,
    ...(onCluster && { resources: resourcesOf(draft.wishes) }),
  };
}

export function changedParams(offered: Offered, draft: Draft): Record<string, Value> {
  const manifest = manifestOf(offered, draft.framework);
  if (manifest === null || draft.task === null) return {};
  const changed: Record<string, Value> = {};
  for (const [name, usual] of Object.entries(defaultTexts(manifest, draft.task))) {
    const parameter = manifest.params[name];
    if (parameter === undefined) continue;
    const { value } = readParam(parameter, draft.params[name] ?? '');
    if (value !== undefined && value !== readParam(parameter, usual).value) changed[name] = value;
  }
  return changed;
}

const WHOLE = ['project_id', 'framework', 'task', 'model', 'dataset_id', 'execution', 'gpus', 'name', 'tags', 'notes'];
const FIELDS = new Set([...WHOLE, 'priority', 'keep_epochs']);

/** The field that a refusal is about; null: it belongs to the top. `tags.0` and `params.epochs.int` are of one, too. */
export function fieldOf(error: ApiError): string | null {
  const [first = '', second] = (error.field ?? '').split('.');
  if (first === 'resources' && second === 'gpus') return 'gpus';
  if ((first === 'params' || first === 'resources') && second) return `${first}.${second}`;
  if (FIELDS.has(first)) return first;
  return error.code === 'not_available' ? 'execution' : null;
}

/** What stands in a field, to know whether it was changed since it was refused. */
export function standsIn(draft: Draft, field: string | null): string {
  if (field === null) return '';
  const [first, name = ''] = field.split('.');
  if (first === 'params') return draft.params[name] ?? '';
  const values: Record<string, string | null> = {
    project_id: draft.projectId,
    framework: draft.framework,
    task: draft.task,
    model: draft.model,
    dataset_id: draft.datasetId,
    execution: draft.execution,
    name: draft.name,
    tags: draft.tags,
    notes: draft.notes,
    priority: draft.priority,
    keep_epochs: draft.keepEpochs,
  };
  return values[field] ?? JSON.stringify([draft.execution, draft.wishes]);
}

/** One key for one request of a form, however often it is sent; another request has another. */
export function makeKeys(fresh: () => string = randomKey): (body: Submit) => string {
  let last = { text: '', key: '' };
  return (body) => {
    const text = JSON.stringify(body);
    if (text !== last.text) last = { text, key: fresh() };
    return last.key;
  };
}
