// @vitest-environment node
import { expect, test } from 'vitest';
import { arranged, moved, PLAIN, readLayout, toggled, writeLayout } from './layout';

const charts = ['a', 'b', 'c', 'd'].map((id) => ({ id }));
const ids = (layout: typeof PLAIN) => arranged(charts, layout).map(({ id }) => id);

test('as they come, until somebody moves one', () => {
  expect(ids(PLAIN)).toEqual(['a', 'b', 'c', 'd']);
  expect(ids(moved(PLAIN, ['a', 'b', 'c', 'd'], 'd', 'a'))).toEqual(['d', 'a', 'b', 'c']);
  expect(ids(moved(PLAIN, ['a', 'b', 'c', 'd'], 'a', 'c'))).toEqual(['b', 'c', 'a', 'd']);
});

test('a chart that is new since then comes after the one that it comes after', () => {
  expect(ids({ ...PLAIN, order: ['d', 'b', 'a'] })).toEqual(['d', 'b', 'c', 'a']);
  expect(ids({ ...PLAIN, order: ['gone', 'c', 'd'] })).toEqual(['a', 'b', 'c', 'd']);
});

test('moving what is not there changes nothing', () => {
  expect(moved(PLAIN, ['a', 'b'], 'x', 'a')).toBe(PLAIN);
  expect(moved(PLAIN, ['a', 'b'], 'a', 'a')).toBe(PLAIN);
});

test('marks go on and off', () => {
  const on = toggled(PLAIN, 'log', 'a');
  expect(on.log).toEqual(['a']);
  expect(toggled(on, 'log', 'a').log).toEqual([]);
});

test('what was kept is read again; what is none is nothing', () => {
  const layout = { order: ['b'], hidden: ['c'], large: ['a'], log: ['d'] };
  expect(readLayout(writeLayout(layout))).toEqual(layout);
  expect(readLayout('{"order": [1, "b"], "hidden": "no"}')).toEqual({ ...PLAIN, order: ['b'] });
  expect(readLayout('broken')).toEqual(PLAIN);
  expect(readLayout('null')).toEqual(PLAIN);
  expect(readLayout(null)).toEqual(PLAIN);
});
