import { expect, test } from 'vitest';
import type { Job } from '~/api/client';
import { readChosen } from './chosen';
import { sortedBy } from './sorting';

const first = { best_metric: 'val/loss', best_mode: 'min' } as Job;

test('a metric that is sorted by is named, with the value that counts and the better end first', () => {
  expect(sortedBy(readChosen({}), 'metric', true, first)).toMatchObject({
    sort: 'metric',
    metric: 'val/loss',
    best: 'min',
    descending: false,
  });
});

test('a second click turns it round', () => {
  const sorted = sortedBy(readChosen({ metric: 'loss', best: 'last' }), 'metric', true, first);
  expect(sorted).toMatchObject({ metric: 'loss', best: 'last', descending: true });
  expect(sortedBy(sorted, 'metric', false, first).descending).toBe(false);
});

test('without any metric there is nothing to sort by', () => {
  expect(sortedBy(readChosen({}), 'metric', true, undefined)).toEqual(readChosen({}));
});

test('other columns are sorted as they are', () => {
  expect(sortedBy(readChosen({ metric: 'a' }), 'name', false, first)).toMatchObject({ sort: 'name', metric: 'a' });
});
