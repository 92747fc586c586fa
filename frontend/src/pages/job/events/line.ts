/** A job's events as a line: what is alike together, days and attempts apart, how long each state lasted. Pure. */
import type { Schemas } from '~/api/client';
import type { LiveEvent } from '~/live/events';

export type Event = Schemas['EventOut'];

/** Told every few seconds, and shown elsewhere. */
export const NEVER = ['heartbeat', 'trainer.heartbeat'];
/** Told after every epoch. */
export const EACH_EPOCH = ['validation', 'checkpoint', 'sample'];

export type Entry =
  | { kind: 'day'; key: string; at: number }
  | { kind: 'attempt'; key: string; attempt: number }
  /** `until`: when the next state began; null while this one lasts, undefined where it is an end. */
  | { kind: 'state'; key: string; event: Event; to: string; reason: string | null; until: number | null | undefined }
  | { kind: 'event'; key: string; event: Event; count: number };

const ENDS = new Set(['SUCCEEDED', 'FAILED', 'CANCELLED']);

/** `dayOf` tells days apart, in the reader's time zone. */
export function lineOf(events: readonly Event[], dayOf: (at: number) => string): Entry[] {
  const line: Entry[] = [];
  let day: string | null = null;
  let attempt: number | null = null;
  const several = new Set(events.map((event) => event.attempt ?? 1)).size > 1;
  const states = events.filter(isState);
  for (const event of events) {
    if (dayOf(event.at) !== day) {
      day = dayOf(event.at);
      line.push({ kind: 'day', key: `day ${event.id}`, at: event.at });
    }
    if (several && event.attempt !== null && event.attempt !== attempt) {
      attempt = event.attempt;
      line.push({ kind: 'attempt', key: `attempt ${event.id}`, attempt });
    }
    if (isState(event)) line.push(stateEntry(event, states));
    else addEvent(line, event);
  }
  return line;
}

function isState(event: Event): boolean {
  return event.type === 'state' && typeof event.data.to === 'string';
}

function stateEntry(event: Event, states: readonly Event[]): Entry {
  const to = String(event.data.to);
  const next = states[states.indexOf(event) + 1];
  const until = ENDS.has(to) ? undefined : (next?.at ?? null);
  const reason = typeof event.data.reason === 'string' ? event.data.reason : null;
  return { kind: 'state', key: String(event.id), event, to, reason, until };
}

/** The pictures of an epoch are one line. */
function addEvent(line: Entry[], event: Event): void {
  const last = line.at(-1);
  const alike =
    event.type === 'sample' &&
    last?.kind === 'event' &&
    last.event.type === 'sample' &&
    last.event.data.epoch === event.data.epoch;
  if (alike) line[line.length - 1] = { ...last, count: last.count + 1 };
  else line.push({ kind: 'event', key: String(event.id), event, count: 1 });
}

/** Whether an entry says what it said: there may be thousands, and one more changes none of them. */
export function unchanged(was: Entry, is: Entry): boolean {
  if (was.key !== is.key || was.kind !== is.kind) return false;
  if (was.kind === 'state' && is.kind === 'state') return was.until === is.until;
  if (was.kind === 'event' && is.kind === 'event') return was.count === is.count;
  return true;
}

/** Together, each once, in order. */
export function merged(known: readonly Event[], more: readonly Event[]): Event[] {
  const ids = new Set(known.map((event) => event.id));
  const fresh = more.filter((event) => !ids.has(event.id));
  if (fresh.length === 0) return known as Event[];
  return [...known, ...fresh].sort((one, other) => one.id - other.id);
}

export function wanted(event: LiveEvent, jobId: string, eachEpoch: boolean): boolean {
  if (event.job_id !== jobId || NEVER.includes(event.type)) return false;
  return eachEpoch || !EACH_EPOCH.includes(event.type);
}

/** Values of an event's data, short: what a person may want to see of a type that we know nothing of. */
export function summary(data: Record<string, unknown>, most = 300): string {
  const text = Object.entries(data)
    .filter(([, value]) => value !== null && value !== '')
    .map(([name, value]) => `${name} ${typeof value === 'object' ? JSON.stringify(value) : String(value)}`)
    .join('  ');
  return text.length > most ? `${text.slice(0, most)}…` : text;
}
