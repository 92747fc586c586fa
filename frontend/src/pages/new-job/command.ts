/** The same training at a command line. */
import { type Draft, type Execution, type Offered, tagsOf } from './draft';
import { textOf } from './params';
import { changedParams } from './request';

/** For sh: plain words as they are, everything else in single quotes. */
export function quoted(text: string): string {
  return /^[A-Za-z0-9_/:=.,@%+-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}

/** `--name value`; what begins with a hyphen would be taken for an option. */
function option(name: string, value: string): string {
  return value.startsWith('-') ? `${name}=${quoted(value)}` : `${name} ${quoted(value)}`;
}

const ON_CLUSTER = ['cpu', 'memory', 'replicas', 'queue', 'image'] as const;

export type Command = {
  /** One option a line. */
  text: string;
  /** What the command line has no option for. */
  without: ('project' | 'notes' | 'cpu_limit' | 'shm' | 'node_selector' | 'tolerations')[];
};

/** `usual`: the tier of the installation, which need not be named; undefined: nobody said. */
export function commandOf(offered: Offered, draft: Draft, usual: Execution | undefined): Command {
  const { epochs, ...params } = changedParams(offered, draft);
  const { wishes } = draft;
  const given: [string, string][] = [
    ['--framework', draft.framework],
    ['--task', draft.task ?? ''],
    ['--model', draft.model.trim()],
    ['--dataset', draft.datasetId],
    ['--epochs', epochs === undefined ? '' : textOf(epochs)],
    ...Object.entries(params).map(([name, value]): [string, string] => ['--set', `${name}=${textOf(value)}`]),
    ['--on', draft.execution === usual ? '' : draft.execution],
    ['--gpus', wishes.gpus.trim()],
    ...(draft.execution === 'local'
      ? []
      : ON_CLUSTER.map((name): [string, string] => [`--${name}`, wishes[name].trim()])),
    ['--name', draft.name.trim()],
    ...tagsOf(draft.tags).map((tag): [string, string] => ['--tag', tag]),
    ['--priority', Number(draft.priority) === 0 ? '' : draft.priority.trim()],
    ['--keep-epochs', Number(draft.keepEpochs) === 0 ? '' : draft.keepEpochs.trim()],
  ];
  const options = given.filter(([, value]) => value !== '').map(([name, value]) => option(name, value));
  return { text: ['./trainyard submit', ...options].join(' \\\n  '), without: withoutOption(draft) };
}

function withoutOption(draft: Draft): Command['without'] {
  const onCluster = draft.execution !== 'local';
  const names = ['cpu_limit', 'shm', 'node_selector', 'tolerations'] as const;
  return [
    ...(draft.projectId === 'default' ? [] : (['project'] as const)),
    ...(draft.notes.trim() === '' ? [] : (['notes'] as const)),
    ...names.filter((name) => onCluster && draft.wishes[name].trim() !== ''),
  ];
}
