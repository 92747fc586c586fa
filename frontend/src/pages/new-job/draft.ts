/** The form as it is filled in: plain values and what follows from choosing one of them. */
import type { Dataset, Job, Schemas, Trainer } from '~/api/client';
import { defaultTexts, sameValue, type Texts, textOf } from './params';
import { NO_WISHES, type Wishes, wishesOf } from './wishes';

export type Task = Schemas['Task'];
export type Execution = Schemas['Execution'];
export type Manifest = Schemas['Manifest'];

export type Draft = {
  projectId: string;
  framework: string;
  task: Task | null;
  model: string;
  datasetId: string;
  params: Texts;
  execution: Execution;
  wishes: Wishes;
  name: string;
  tags: string;
  notes: string;
  priority: string;
  keepEpochs: string;
};

/** What there is to choose from. `origin`: the job that is cloned. */
export type Offered = {
  trainers: readonly Trainer[];
  datasets: readonly Dataset[];
  execution: Execution;
  projectId: string;
  origin: Job | null;
};

/** What was chosen the last time with a trainer, where it still fits. */
export type Kept = Partial<
  Pick<Draft, 'task' | 'model' | 'datasetId' | 'params' | 'execution' | 'wishes' | 'keepEpochs'>
>;

export function manifestOf(offered: Offered, framework: string): Manifest | null {
  const found = offered.trainers.find((one) => one.framework === framework);
  return found?.usable ? (found.manifest ?? null) : null;
}

export function tasksOf(manifest: Manifest | null): Task[] {
  return manifest === null ? [] : (Object.keys(manifest.tasks) as Task[]);
}

export type Unfit = { kind: 'task'; tasks: Task[] } | { kind: 'notReady'; because: string[] };

/** Why a dataset can't be trained on for this task; null: it can. */
export function unfit(dataset: Dataset, task: Task | null): Unfit | null {
  if (task !== null && !dataset.tasks.includes(task)) return { kind: 'task', tasks: dataset.tasks };
  return dataset.ready === false ? { kind: 'notReady', because: dataset.not_ready_because } : null;
}

/** The datasets of the project, fitting ones first, else in the order they came. */
export function datasetsFor(
  offered: Offered,
  projectId: string,
  task: Task | null,
): { dataset: Dataset; why: Unfit | null }[] {
  const all = offered.datasets
    .filter((dataset) => dataset.project_id === projectId)
    .map((dataset) => ({ dataset, why: unfit(dataset, task) }));
  return [...all.filter((one) => one.why === null), ...all.filter((one) => one.why !== null)];
}

/** What a field is compared with to be "modified", and goes back to: the cloned job's values, else the trainer's. */
export function baseOf(offered: Offered, framework: string, task: Task | null): Draft {
  const manifest = manifestOf(offered, framework);
  const plain: Draft = {
    projectId: offered.projectId,
    framework,
    task,
    model: (task && manifest?.tasks[task]?.default_model) ?? '',
    datasetId: '',
    params: manifest && task ? defaultTexts(manifest, task) : {},
    execution: offered.execution,
    wishes: NO_WISHES,
    name: '',
    tags: '',
    notes: '',
    priority: '0',
    keepEpochs: '0',
  };
  const { origin } = offered;
  if (origin === null || origin.framework !== framework || origin.task !== task) return plain;
  return { ...plain, ...ofJob(origin), params: { ...plain.params, ...paramsOf(origin, manifest) } };
}

function ofJob(job: Job): Partial<Draft> {
  return {
    projectId: job.project_id,
    model: job.model,
    datasetId: job.dataset_id ?? '',
    execution: job.execution,
    wishes: wishesOf(job.gpus, job.resources),
    name: job.name,
    tags: job.tags.join(', '),
    notes: job.notes,
    priority: String(job.priority),
    keepEpochs: String(job.keep_epochs),
  };
}

function paramsOf(job: Job, manifest: Manifest | null): Texts {
  const known = Object.entries(job.params).filter(([name]) => manifest?.params[name] !== undefined);
  return Object.fromEntries(known.map(([name, value]) => [name, textOf(value)]));
}

/** Parameters of the cloned job that its trainer has no more. */
export function lostParams(offered: Offered, framework: string): string[] {
  const manifest = manifestOf(offered, framework);
  if (offered.origin === null || manifest === null || offered.origin.framework !== framework) return [];
  return Object.keys(offered.origin.params).filter((name) => manifest.params[name] === undefined);
}

function pickDataset(
  offered: Offered,
  projectId: string,
  task: Task | null,
  ...wanted: (string | undefined)[]
): string {
  const fitting = datasetsFor(offered, projectId, task).filter((one) => one.why === null);
  for (const id of wanted) if (id && fitting.some((one) => one.dataset.id === id)) return id;
  return fitting[0]?.dataset.id ?? '';
}

/** What a choice of trainer brings with it. What a person wrote (name, tags, notes) stays. */
export function withTrainer(offered: Offered, draft: Draft, framework: string, kept: Kept | null): Draft {
  const tasks = tasksOf(manifestOf(offered, framework));
  const own = offered.origin?.framework === framework ? offered.origin.task : undefined;
  const task = [own, kept?.task, draft.task].find((one) => one && tasks.includes(one)) ?? tasks[0] ?? null;
  const base = baseOf(offered, framework, task);
  const next: Draft = {
    ...base,
    ...fitting(manifestOf(offered, framework), base, own === undefined ? kept : null), // the cloned job counts more
    projectId: draft.projectId,
    name: draft.name,
    tags: draft.tags,
    notes: draft.notes,
    priority: draft.priority,
  };
  next.datasetId = pickDataset(offered, draft.projectId, task, draft.datasetId, base.datasetId, kept?.datasetId);
  return next;
}

/** Of what was kept, that which the trainer still takes. */
function fitting(manifest: Manifest | null, base: Draft, kept: Kept | null): Partial<Draft> {
  if (kept === null || manifest === null || base.task === null) return {};
  const params = Object.entries(kept.params ?? {}).filter(([name]) => manifest.params[name] !== undefined);
  const sameTask = kept.task === base.task;
  return {
    execution: kept.execution ?? base.execution,
    wishes: { ...base.wishes, ...kept.wishes },
    keepEpochs: kept.keepEpochs ?? base.keepEpochs,
    ...(sameTask && {
      params: { ...base.params, ...Object.fromEntries(params) },
      model: kept.model && takesModel(manifest, base.task, kept.model) ? kept.model : base.model,
    }),
  };
}

/** Parameters that were not touched take the new task's defaults; a dataset stays where it fits. */
export function withTask(offered: Offered, draft: Draft, task: Task): Draft {
  const manifest = manifestOf(offered, draft.framework);
  const [before, after] = [baseOf(offered, draft.framework, draft.task), baseOf(offered, draft.framework, task)];
  const params = { ...after.params };
  for (const [name, text] of Object.entries(draft.params)) {
    const parameter = manifest?.params[name];
    if (parameter && !sameValue(parameter, text, before.params[name] ?? '')) params[name] = text;
  }
  const model = manifest && takesModel(manifest, task, draft.model) ? draft.model : after.model;
  const datasetId = pickDataset(offered, draft.projectId, task, draft.datasetId, after.datasetId);
  return { ...draft, task, params, model, datasetId };
}

export function withProject(offered: Offered, draft: Draft, projectId: string): Draft {
  return { ...draft, projectId, datasetId: pickDataset(offered, projectId, draft.task, draft.datasetId) };
}

/** A dataset that came just now: its task is taken up where the trainer does it, else nothing is chosen. */
export function withDataset(offered: Offered, draft: Draft, dataset: Dataset): Draft {
  const datasetId = dataset.id;
  if (unfit(dataset, draft.task) === null) return { ...draft, datasetId };
  const task = tasksOf(manifestOf(offered, draft.framework)).find((one) => unfit(dataset, one) === null);
  return task === undefined ? draft : { ...withTask(offered, draft, task), datasetId };
}

export function takesModel(manifest: Manifest, task: Task, model: string): boolean {
  const support = manifest.tasks[task];
  if (support === undefined) return false;
  if (support.models.includes(model)) return true;
  if (!support.model_pattern) return false;
  try {
    return new RegExp(`^(?:${support.model_pattern})$`).test(model);
  } catch {
    return true; // a pattern that only Python reads: the backend decides
  }
}

const FIRST = 'ultralytics'; // as the command line has it

/** The form as it is when one comes to it. `kept` tells what was chosen the last time with a trainer. */
export function startDraft(
  offered: Offered,
  wanted: { datasetId?: string; framework?: string | null },
  kept: (framework: string) => Kept | null,
): Draft {
  const { origin } = offered;
  const dataset = offered.datasets.find((one) => one.id === wanted.datasetId);
  const framework = origin?.framework ?? firstTrainer(offered, dataset, wanted.framework ?? null);
  const empty: Draft = { ...baseOf(offered, framework, null), projectId: dataset?.project_id ?? offered.projectId };
  if (origin !== null) return cloned(offered, origin, framework);
  const known = kept(framework);
  const task = tasksOf(manifestOf(offered, framework)).find((one) => dataset?.tasks.includes(one));
  const draft = withTrainer(offered, empty, framework, task ? { ...known, task } : known);
  // what the address asks for is shown even where it does not fit: the form says why
  return dataset === undefined ? draft : { ...draft, datasetId: dataset.id };
}

/** All of the job, also what isn't there any more: the form says so. */
function cloned(offered: Offered, origin: Job, framework: string): Draft {
  return baseOf(offered, framework, origin.task);
}

function firstTrainer(offered: Offered, dataset: Dataset | undefined, last: string | null): string {
  const usable = offered.trainers.filter((one) => one.usable);
  const fits = (one: Trainer) =>
    dataset === undefined || tasksOf(one.manifest ?? null).some((task) => dataset.tasks.includes(task));
  const named = (name: string | null) => usable.find((one) => one.framework === name && fits(one));
  return (named(last) ?? named(FIRST) ?? usable.find(fits) ?? usable[0])?.framework ?? '';
}

export function tagsOf(text: string): string[] {
  const tags = text.split(',').map((tag) => tag.trim());
  return [...new Set(tags.filter((tag) => tag !== ''))];
}
