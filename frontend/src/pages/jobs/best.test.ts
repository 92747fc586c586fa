import { expect, test } from 'vitest';
import type { Job } from '~/api/client';
import { shownMetric } from './best';

const summary = { last: 0.5, last_step: 9, min: 0.1, min_step: 1, max: 0.9, max_step: 7 };
const job = { best_metric: 'top1', best_mode: 'max', metrics: { top1: summary, loss: { ...summary, last: 'NaN' } } };
const trained = job as unknown as Job;

test('without a choice: what its trainer calls best', () => {
  expect(shownMetric(trained, '', 'best')).toEqual({ name: 'top1', value: 0.9, step: 7 });
  expect(shownMetric({ ...trained, best_mode: 'min' }, '', 'best')?.value).toBe(0.1);
});

test('as chosen, also when it is no number', () => {
  expect(shownMetric(trained, '', 'last')?.value).toBe(0.5);
  expect(shownMetric(trained, 'loss', 'min')).toEqual({ name: 'loss', value: 0.1, step: 1 });
  expect(shownMetric(trained, 'loss', 'best')?.value).toBe('NaN');
});

test('none where there is none', () => {
  expect(shownMetric(trained, 'unknown', 'last')).toBeNull();
  expect(shownMetric({ ...trained, best_metric: null }, '', 'best')).toBeNull();
  expect(shownMetric({ ...trained, metrics: {} }, '', 'best')).toBeNull();
});
