import { expect, test } from 'vitest';
import type { Job } from '~/api/client';
import { comparable, NONE, stoppable, withAll, without, withToggled } from './selection';

const job = (id: string, state: Job['state'] = 'RUNNING', cancelling = false) => ({ id, state, cancelling }) as Job;

test('a job is taken in and out, and nothing that was is changed', () => {
  const one = withToggled(NONE, job('a'));
  expect([...one.keys()]).toEqual(['a']);
  expect(withToggled(one, job('a')).size).toBe(0);
  expect(NONE.size).toBe(0);
});

test('only what still runs and was not asked to stop can be stopped', () => {
  const jobs = [job('a'), job('b', 'FAILED'), job('c', 'QUEUED'), job('d', 'RUNNING', true), job('e', 'SUCCEEDED')];
  expect(stoppable(jobs).map((one) => one.id)).toEqual(['a', 'c']);
});

test('two to ten can be compared', () => {
  const jobs = Array.from({ length: 11 }, (_, index) => job(String(index)));
  const all = withAll(NONE, jobs);
  expect(comparable(all)).toBe(false);
  expect(comparable(without(all, jobs.slice(10)))).toBe(true);
  expect(comparable(without(all, jobs.slice(2)))).toBe(true);
  expect(comparable(without(all, jobs.slice(1)))).toBe(false);
});
