import { expect, test } from 'vitest';
import {
  askedFilters,
  askedOrder,
  exportUrl,
  isFiltered,
  readChosen,
  toggled,
  withoutFilters,
  writeChosen,
} from './chosen';

test('an address says the same again after it was read', () => {
  const said = { state: 'RUNNING,FAILED', trainer: 'sklearn', search: 'a b', sort: 'name', order: 'desc', best: 'max' };
  expect(writeChosen(readChosen(said))).toEqual(said);
  expect(writeChosen(readChosen({}))).toEqual({});
});

test('what an address says without need is left out', () => {
  expect(writeChosen(readChosen({ sort: 'created', order: 'desc', best: 'best', state: '' }))).toEqual({});
  expect(writeChosen(readChosen({ sort: 'name', order: 'asc' }))).toEqual({ sort: 'name' });
});

test('nonsense in an address is as if it were not there, and is never sent', () => {
  const chosen = readChosen({ sort: 'constructor', best: 'worst', state: 'DROP,FAILED', tier: 'moon' });
  expect([chosen.sort, chosen.best]).toEqual(['created', 'best']);
  expect(askedFilters(chosen)).toMatchObject({ state: 'FAILED', execution: undefined });
});

test('sorting by a metric needs one', () => {
  expect(askedOrder(readChosen({ sort: 'metric' }))).toMatchObject({ sort: undefined, metric: undefined });
  expect(askedOrder(readChosen({ sort: 'metric', metric: 'val/loss', best: 'min', order: 'asc' }))).toEqual({
    sort: 'metric',
    order: 'asc',
    metric: 'val/loss',
    best: 'min',
  });
});

test('CSV has the same filters and the same order', () => {
  expect(exportUrl(readChosen({}))).toBe('/v1/jobs/export');
  expect(exportUrl(readChosen({ trainer: 'a,b', search: 'x&y', sort: 'name' }))).toBe(
    '/v1/jobs/export?framework=a%2Cb&search=x%26y&sort=name&order=asc',
  );
});

test('clearing takes the filters, and leaves order and metric', () => {
  const chosen = readChosen({ state: 'FAILED', sort: 'name', metric: 'loss' });
  expect(isFiltered(chosen)).toBe(true);
  expect(writeChosen(withoutFilters(chosen))).toEqual({ sort: 'name', metric: 'loss' });
  expect(isFiltered(withoutFilters(chosen))).toBe(false);
});

test('toggling takes a value in and out', () => {
  expect(toggled('', 'a')).toBe('a');
  expect(toggled('a,b', 'a')).toBe('b');
  expect(toggled('b', 'a')).toBe('b,a');
});
