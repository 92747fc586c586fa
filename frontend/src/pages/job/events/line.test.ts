import { describe, expect, it } from 'vitest';
import type { LiveEvent } from '~/live/events';
import { type Entry, type Event, lineOf, merged, summary, unchanged, wanted } from './line';

function event(id: number, type: string, data: Record<string, unknown> = {}, attempt = 1, at = id): Event {
  return { id, project_id: 'p', job_id: 'job-1', at, type, attempt, message: '', data };
}

const oneDay = () => 'monday';

describe('lineOf', () => {
  it('says how long each state lasted, and that the last one still does', () => {
    const line = lineOf(
      [event(1, 'state', { to: 'QUEUED' }), event(4, 'waiting'), event(9, 'state', { to: 'RUNNING' })],
      oneDay,
    );
    expect(line.map((entry) => (entry.kind === 'state' ? [entry.to, entry.until] : entry.kind))).toEqual([
      'day',
      ['QUEUED', 9],
      'event',
      ['RUNNING', null],
    ]);
  });

  it('an end does not last', () => {
    const [, end] = lineOf([event(1, 'state', { to: 'FAILED', reason: 'OutOfMemory' })], oneDay);
    expect(end).toMatchObject({ kind: 'state', until: undefined, reason: 'OutOfMemory' });
  });

  it('puts attempts apart where there are several', () => {
    expect(lineOf([event(1, 'waiting'), event(2, 'waiting', {}, 2)], oneDay).map((entry) => entry.kind)).toEqual([
      'day',
      'attempt',
      'event',
      'attempt',
      'event',
    ]);
    expect(lineOf([event(1, 'waiting')], oneDay).map((entry) => entry.kind)).toEqual(['day', 'event']);
  });

  it('puts days apart', () => {
    const days = lineOf([event(1, 'a'), event(2, 'b'), event(3, 'c')], (at) => (at < 3 ? 'one' : 'two'));
    expect(days.filter((entry) => entry.kind === 'day')).toHaveLength(2);
  });

  it('makes one line of the pictures of an epoch', () => {
    const line = lineOf(
      [1, 1, 2].map((epoch, n) => event(n, 'sample', { epoch })),
      oneDay,
    );
    expect(line.map((entry) => entry.kind === 'event' && entry.count)).toEqual([false, 2, 1]);
  });

  it('takes a state that says nothing as any event', () => {
    expect(lineOf([event(1, 'state', {})], oneDay)[1]?.kind).toBe('event');
  });
});

describe('unchanged', () => {
  it('sees that a state is over, and that a picture came', () => {
    const line = (...events: Event[]) => lineOf(events, oneDay).at(1) as Entry;
    const state = event(1, 'state', { to: 'RUNNING' });
    expect(unchanged(line(state), line({ ...state }))).toBe(true);
    expect(unchanged(line(state), line(state, event(2, 'state', { to: 'FAILED' })))).toBe(false);
    const picture = event(1, 'sample', { epoch: 1 });
    expect(unchanged(line(picture), line(picture, event(2, 'sample', { epoch: 1 })))).toBe(false);
  });
});

describe('merged', () => {
  it('has each once and in order', () => {
    const known = [event(3, 'a'), event(5, 'b')];
    expect(merged(known, [event(1, 'x'), event(3, 'a'), event(4, 'y')]).map((one) => one.id)).toEqual([1, 3, 4, 5]);
    expect(merged(known, [event(3, 'a')])).toBe(known);
  });
});

describe('wanted', () => {
  const live = (type: string, job_id = 'job-1') => ({ ...event(1, type), job_id }) as LiveEvent;
  it('leaves out heartbeats and other jobs, and what comes each epoch unless asked for', () => {
    expect(wanted(live('heartbeat'), 'job-1', true)).toBe(false);
    expect(wanted(live('state'), 'job-1', false)).toBe(true);
    expect(wanted(live('state', 'job-2'), 'job-1', false)).toBe(false);
    expect(wanted(live('sample'), 'job-1', false)).toBe(false);
    expect(wanted(live('sample'), 'job-1', true)).toBe(true);
  });
});

describe('summary', () => {
  it('is short', () => {
    expect(summary({ a: 1, b: null, c: { d: [1] }, e: '' })).toBe('a 1  c {"d":[1]}');
    expect(summary({ a: 'x'.repeat(1000) })).toHaveLength(301);
  });
});
