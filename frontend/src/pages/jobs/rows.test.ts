import { expect, test } from 'vitest';
import type { Job } from '~/api/client';
import { PAGE, pagesOf, Rows, topOf } from './rows';

const job = (id: string, epoch = 0) => ({ id, epoch }) as Job;
const fresh = (key: string, ...jobs: Job[]) => ({ key, total: jobs.length, pages: new Map([[0, jobs]]) });
const shown = (rows: Rows) => [0, 1, 2].map((row) => rows.at(row)?.id);

test('held rows keep their places, and show what is new in them', () => {
  const rows = new Rows();
  rows.take(fresh('k', job('a'), job('b')), false);
  rows.take(fresh('k', job('c'), job('b', 7), job('a')), true);
  expect(shown(rows)).toEqual(['a', 'b', undefined]);
  expect(rows.at(1)?.epoch).toBe(7);
  expect(rows.total).toBe(2);
});

test('a held row stays when its job is no longer in the list', () => {
  const rows = new Rows();
  rows.take(fresh('k', job('a'), job('b')), false);
  rows.take(fresh('k', job('b')), true);
  expect(shown(rows)).toEqual(['a', 'b', undefined]);
});

test('rows that nobody looks at are as the server says', () => {
  const rows = new Rows();
  rows.take(fresh('k', job('a'), job('b')), false);
  rows.take(fresh('k', job('c'), job('a'), job('b')), false);
  expect(shown(rows)).toEqual(['c', 'a', 'b']);
  expect(rows.total).toBe(3);
});

test('another choice is shown when its first answer is here, held or not', () => {
  const rows = new Rows();
  rows.take(fresh('k', job('a')), false);
  rows.take({ key: 'other', total: 5, pages: new Map() }, true);
  expect(shown(rows)[0]).toBe('a');
  expect(rows.isOld('other')).toBe(true);
  rows.take(fresh('other', job('z')), true);
  expect(shown(rows)[0]).toBe('z');
  expect(rows.isOld('other')).toBe(false);
});

test('a choice without any job is shown at once', () => {
  const rows = new Rows();
  rows.take(fresh('k', job('a')), false);
  rows.take({ key: 'none', total: 0, pages: new Map() }, false);
  expect(rows.total).toBe(0);
  expect(rows.at(0)).toBeUndefined();
});

test('the pages of the window, and the next one shortly before it is reached', () => {
  expect(pagesOf(0, 20, 10_000)).toEqual([0]);
  expect(pagesOf(60, 80, 10_000)).toEqual([0, 1]);
  expect(pagesOf(5_000, 5_020, 10_000)).toEqual([50]);
  expect(pagesOf(80, 99, 100)).toEqual([0]);
  expect(pagesOf(5_000, 5_020, 30)).toEqual([0]);
  expect(pagesOf(0, 0, 0)).toEqual([0]);
});

test('a row is found on its page', () => {
  const rows = new Rows();
  rows.take({ key: 'k', total: 150, pages: new Map([[1, [job('x'), job('y')]]]) }, false);
  expect(rows.indexOf('y')).toBe(PAGE + 1);
  expect(rows.at(PAGE + 1)?.id).toBe('y');
  expect(rows.indexOf('q')).toBe(-1);
});

test('the top is right above the newest job, as the API writes positions', () => {
  expect(topOf({ created_at: 1795374000.25 })).toBe('1795374000.250001_a');
  expect(topOf({ created_at: 1795374000.25 })).toMatch(/^[0-9]{1,12}\.[0-9]{1,9}_[a-z0-9-]{1,40}$/);
  expect(topOf(undefined)).toBeNull();
});
