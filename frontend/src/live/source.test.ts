import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { Told } from './events';
import { Source } from './source';

/** A browser's EventSource, in so far as it tells what came of asking. */
class Stream extends EventTarget {
  static readonly CLOSED = 2;
  static asked: Stream[] = [];
  readyState = 0;
  onopen: () => void = () => {};
  onmessage: (message: MessageEvent<string>) => void = () => {};
  onerror: () => void = () => {};

  constructor(readonly url: string) {
    super();
    Stream.asked.push(this);
  }

  refuse(): void {
    this.readyState = Stream.CLOSED;
    this.onerror();
  }

  close(): void {
    this.readyState = Stream.CLOSED;
  }
}

let told: Told[] = [];

beforeEach(() => {
  told = [];
  Stream.asked = [];
  vi.useFakeTimers();
  vi.stubGlobal('EventSource', Stream);
});

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

function newest(): Stream {
  const stream = Stream.asked.at(-1);
  if (stream === undefined) throw new Error('nobody asked');
  return stream;
}

/** Refuse, and say after how many seconds it is asked again. */
function pause(): number {
  const asked = Stream.asked.length;
  newest().refuse();
  for (let seconds = 1; seconds <= 60; seconds++) {
    vi.advanceTimersByTime(1_000);
    if (Stream.asked.length > asked) return seconds;
  }
  return Number.POSITIVE_INFINITY;
}

const refusals = () => told.filter(({ kind }) => kind === 'refused').length;

test('a backend that refuses is asked less and less, and as before once it has let us in', () => {
  const source = new Source((one) => told.push(one));
  source.want(true);
  expect(Array.from({ length: 8 }, pause)).toEqual([1, 2, 4, 8, 16, 30, 30, 30]);
  expect(refusals()).toBe(8);
  newest().onopen();
  expect(pause()).toBe(1);
});

test('a connection that is only lost is not refused: the browser comes back by itself', () => {
  const source = new Source((one) => told.push(one));
  source.want(true);
  newest().onopen();
  newest().onerror();
  vi.advanceTimersByTime(60_000);
  expect(Stream.asked.length).toBe(1);
  expect(refusals()).toBe(0);
  expect(source.connection.state).toBe('away');
});

test('whoever was told of a gap asks anew, and goes on from the id that came with it', () => {
  const source = new Source((one) => told.push(one));
  source.want(true);
  newest().onopen();
  newest().onmessage(new MessageEvent('message', { data: '{"id": 800}' }));
  expect(pause()).toBe(1);
  expect(newest().url).toBe('/v1/events?after=800');
  newest().onopen();
  told = [];
  newest().dispatchEvent(new MessageEvent('gap', { data: '', lastEventId: '500' }));
  expect(told).toEqual([{ kind: 'connection', connection: { state: 'live' }, gap: true }]);
  expect(pause()).toBe(1);
  expect(newest().url).toBe('/v1/events?after=500');
});
