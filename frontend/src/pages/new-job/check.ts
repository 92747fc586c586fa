/** What is wrong with the form before it is sent, by the name of the field as the backend calls it. */
import { type Draft, manifestOf, type Offered, tagsOf, takesModel, unfit } from './draft';
import { readParam } from './params';
import { checkWishes } from './wishes';
import type { Wrong } from './wrong';

export type Wrongs = Map<string, Wrong>;

// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is refused
const CONTROL = /[\x00-\x1f\x7f]/;

export function check(offered: Offered, draft: Draft): Wrongs {
  const wrongs: Wrongs = new Map();
  const say = (field: string, wrong: Wrong | null) => {
    if (wrong !== null) wrongs.set(field, wrong);
  };
  const manifest = manifestOf(offered, draft.framework);
  if (manifest === null) say('framework', (words) => words.noTrainer);
  say('dataset_id', checkDataset(offered, draft));
  if (manifest !== null) {
    if (draft.task === null || manifest.tasks[draft.task] === undefined) say('task', (words) => words.noTask);
    else if (draft.model.trim() === '') say('model', (words) => words.required);
    else if (!takesModel(manifest, draft.task, draft.model.trim())) say('model', (words) => words.noModel(draft.model));
    for (const [name, parameter] of Object.entries(manifest.params))
      say(`params.${name}`, readParam(parameter, draft.params[name] ?? '').wrong ?? null);
  }
  for (const [name, wrong] of checkWishes(draft.wishes, manifest?.distributed ?? true))
    if (draft.execution !== 'local' || name === 'gpus') say(name === 'gpus' ? name : `resources.${name}`, wrong);
  say('name', checkLine(draft.name, 200));
  say('tags', checkTags(draft.tags));
  say('notes', draft.notes.length > 10_000 ? (words) => words.tooLong(10_000) : null);
  say('priority', checkInteger(draft.priority, -100, 100));
  say('keep_epochs', checkInteger(draft.keepEpochs, 0, 10_000));
  return wrongs;
}

function checkDataset(offered: Offered, draft: Draft): Wrong | null {
  if (draft.datasetId === '') return (words) => words.required;
  const dataset = offered.datasets.find((one) => one.id === draft.datasetId && one.project_id === draft.projectId);
  if (dataset === undefined) return (words) => words.datasetGone(draft.datasetId);
  return unfit(dataset, draft.task) === null ? null : (words) => words.datasetUnfit;
}

function checkLine(text: string, most: number): Wrong | null {
  if (text.length > most) return (words) => words.tooLong(most);
  return CONTROL.test(text) ? (words) => words.oneLine : null;
}

function checkTags(text: string): Wrong | null {
  const tags = tagsOf(text);
  if (tags.length > 20) return (words) => words.tooMany(20);
  return tags.map((tag) => checkLine(tag, 60)).find((wrong) => wrong !== null) ?? null;
}

function checkInteger(text: string, min: number, max: number): Wrong | null {
  const given = text.trim();
  if (given === '') return (words) => words.required;
  if (!/^[+-]?\d+$/.test(given)) return (words) => words.integer;
  if (Number(given) < min) return (words) => words.atLeast(String(min));
  return Number(given) > max ? (words) => words.atMost(String(max)) : null;
}
