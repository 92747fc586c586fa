import { QueryClient } from '@tanstack/react-query';
import { expect, test } from 'vitest';
import type { Job } from '~/api/client';
import type { LiveEvent } from './events';
import { patchJob, withHeartbeat } from './jobs';

const job = (id: string) => ({ id, epoch: 1, epochs: 9, phase: '', progress: 0, metrics: {} }) as unknown as Job;
const page = (...ids: string[]) => ({ items: ids.map(job), total: ids.length, next: null });
const beat = (data: Record<string, unknown>) => ({ data }) as unknown as LiveEvent;

test('a job is changed in every list that holds it, and nowhere else', () => {
  const client = new QueryClient();
  client.setQueryData(['jobs', 'page', 0], page('a', 'b'));
  client.setQueryData(['jobs', 'page', 1], page('c'));
  client.setQueryData(['jobs', 'long'], { pages: [page('b'), page('d')], pageParams: [] });
  const other = client.getQueryData(['jobs', 'page', 1]);
  const listed = client.getQueryData<{ items: Job[] }>(['jobs', 'page', 0]);
  expect(patchJob(client, 'b', (one) => ({ ...one, epoch: 5 }))).toBe(true);

  const changed = client.getQueryData<{ items: Job[] }>(['jobs', 'page', 0]);
  expect(changed?.items.map((one) => one.epoch)).toEqual([1, 5]);
  expect(changed?.items[0]).toBe(listed?.items[0]);
  expect(client.getQueryData<{ pages: { items: Job[] }[] }>(['jobs', 'long'])?.pages[0]?.items[0]?.epoch).toBe(5);
  expect(client.getQueryData(['jobs', 'page', 1])).toBe(other);
  expect(patchJob(client, 'nobody', (one) => one)).toBe(false);
});

test('a heartbeat moves the smallest and the largest value along', () => {
  let known = withHeartbeat(job('a'), beat({ epoch: 2, metrics: { loss: 0.5 } }));
  known = withHeartbeat(known, beat({ epoch: 3, progress: 0.3, metrics: { loss: 0.9 } }));
  expect(known).toMatchObject({ epoch: 3, epochs: 9, progress: 0.3 });
  expect(known.metrics?.loss).toEqual({ last: 0.9, last_step: 3, min: 0.5, min_step: 2, max: 0.9, max_step: 3 });
});
