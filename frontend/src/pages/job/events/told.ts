/** An event in words: a title, and what is particular about it. Pure. */
import type { Format } from '~/format/format';
import { type Event, summary } from './line';
import type { eventWords } from './words';

type Words = (typeof eventWords)['en'];
export type Told = { title: string; detail: string; bad?: boolean };

const PLAIN = new Set([
  'waiting',
  'preparing',
  'launched',
  'running',
  'environment',
  'dataset_ready',
  'mlflow_run',
  'warning',
  'stuck',
  'unstuck',
  'cancel_requested',
  'changed',
  'done',
] as const);
type Plain = typeof PLAIN extends Set<infer Name> ? Name : never;

/** Words of the backend that say no more than our title. */
const EMPTY = new Set(['Started.', 'Asked to stop.', 'Silent, but it works.', 'It spoke again.']);

const isPlain = (type: string): type is Plain => (PLAIN as ReadonlySet<string>).has(type);

export function told(event: Event, count: number, words: Words, format: Format): Told {
  const { type, data } = event;
  const message = EMPTY.has(event.message) ? '' : event.message;
  const epoch = typeof data.epoch === 'number' ? format.count(data.epoch) : '–';
  if (type === 'validation')
    return { title: words.validation(epoch), detail: message || metrics(data.metrics, format) };
  if (type === 'checkpoint') {
    const size = typeof data.bytes === 'number' ? format.bytes(data.bytes) : '';
    return { title: words.checkpoint(String(data.kind ?? ''), epoch), detail: message || size };
  }
  if (type === 'sample') return { title: words.sample(format.count(count), epoch), detail: message };
  if (!isPlain(type)) return { title: type, detail: [message, summary(data)].filter(Boolean).join('  ') };
  const detail = message || particular(type, data, words, format);
  return { title: words[type], detail, bad: type === 'warning' };
}

function particular(type: Plain, data: Event['data'], words: Words, format: Format): string {
  switch (type) {
    case 'environment': {
      const packages = typeof data.packages === 'object' && data.packages !== null ? Object.keys(data.packages) : [];
      return typeof data.python === 'string' ? words.python(data.python, format.count(packages.length)) : '';
    }
    case 'mlflow_run':
      return String(data.run_id ?? '');
    case 'done':
      return metrics(data.metrics, format);
    case 'launched':
      return '';
    default:
      return summary(data);
  }
}

function metrics(told: unknown, format: Format): string {
  if (typeof told !== 'object' || told === null) return '';
  return Object.entries(told)
    .flatMap(([name, value]) => (typeof value === 'number' ? [`${name} ${format.metric(value)}`] : []))
    .join('  ');
}
