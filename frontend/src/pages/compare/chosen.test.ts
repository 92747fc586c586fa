import { expect, test } from 'vitest';
import { readCompared, withoutRun, withRun, writeCompared } from './chosen';

test('an address says the same again after it was read', () => {
  const said = { jobs: 'a,b,c', base: 'b', all: 'yes', epoch: '3' };
  expect(writeCompared(readCompared(said))).toEqual(said);
  expect(writeCompared(readCompared({}))).toEqual({});
});

test('a run is there once, ten at most, and the base is one of them', () => {
  const ids = Array.from({ length: 12 }, (_, index) => `j${index}`).join();
  expect(readCompared({ jobs: `j0,j0, ,${ids}` }).ids).toHaveLength(10);
  expect(readCompared({ jobs: 'a,b', base: 'gone' }).base).toBe('a');
  expect(readCompared({ jobs: '', base: 'gone' }).base).toBe('');
  expect(withRun(readCompared({ jobs: ids }), 'more').ids).toHaveLength(10);
});

test('no epoch but a whole one', () => {
  expect(['0', '-1', '1.5', 'x', ''].map((epoch) => readCompared({ epoch }).epoch)).toEqual([
    null,
    null,
    null,
    null,
    null,
  ]);
});

test('the next run is the base when the base goes', () => {
  const compared = readCompared({ jobs: 'a,b', base: 'b' });
  expect(withoutRun(compared, 'b').base).toBe('a');
  expect(withoutRun(compared, 'a')).toMatchObject({ ids: ['b'], base: 'b' });
  expect(withoutRun(withoutRun(compared, 'a'), 'b')).toMatchObject({ ids: [], base: '' });
  expect(withRun(readCompared({}), 'a').base).toBe('a');
});
