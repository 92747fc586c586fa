// @vitest-environment node
import { expect, test } from 'vitest';
import { type Answer, Curves, pointsOf } from './curves';

const beat = (epoch: number, value: unknown, more: object = {}) => ({
  type: 'heartbeat',
  data: { epoch, metrics: { loss: value }, ...more },
});

const answer = (steps: number[], values: Answer[string]['values']): Answer => ({ loss: { steps, values } });

const shown = (curves: Curves) => curves.curves.get('loss');

test('a heartbeat counts by its step, else by its epoch, else from zero', () => {
  expect(pointsOf(beat(3, 0.5))).toEqual([{ name: 'loss', step: 3, value: 0.5 }]);
  expect(pointsOf(beat(3, 0.5, { step: 70 }))[0]?.step).toBe(70);
  expect(pointsOf({ type: 'heartbeat', data: { metrics: { loss: 1 } } })[0]?.step).toBe(0);
});

test('a validation counts by its epoch; other events and nonsense say nothing', () => {
  expect(pointsOf({ type: 'validation', data: { epoch: 2, metrics: { 'val/top1': 0.9 } } })).toEqual([
    { name: 'val/top1', step: 2, value: 0.9 },
  ]);
  expect(pointsOf({ type: 'validation', data: { metrics: { a: 1 } } })).toEqual([]);
  expect(pointsOf({ type: 'warning', data: { epoch: 1, metrics: { a: 1 } } })).toEqual([]);
  expect(pointsOf(beat(1, 'high'))).toEqual([]);
  expect(pointsOf(beat(1, true))).toEqual([]);
});

test('NaN and infinities come spelled out', () => {
  expect(pointsOf(beat(1, 'NaN'))[0]?.value).toBeNaN();
  expect(pointsOf(beat(1, '-Infinity'))[0]?.value).toBe(Number.NEGATIVE_INFINITY);
});

test('what comes while the answer is on its way is put on top of it, in order and once', async () => {
  const curves = new Curves();
  let give: (answer: Answer) => void = () => {};
  const loading = curves.load(() => new Promise((done) => (give = done)));
  curves.hear([beat(4, 0.4), beat(5, 0.3)]);
  give(answer([1, 2, 3, 4], [1, 0.9, 0.8, 0.4]));
  await loading;
  expect(shown(curves)).toEqual({ steps: [1, 2, 3, 4, 5], values: [1, 0.9, 0.8, 0.4, 0.3] });
});

test('live points go on at the end', async () => {
  const curves = new Curves();
  await curves.load(async () => answer([1], [1]));
  expect(curves.hear([beat(2, 0.5), { type: 'sample', data: {} }])).toBe(true);
  expect(curves.hear([{ type: 'heartbeat', data: { phase: 'training' } }])).toBe(false);
  expect(shown(curves)).toEqual({ steps: [1, 2], values: [1, 0.5] });
});

test('a later attempt writes over the steps of the one before, and late points find their place', async () => {
  const curves = new Curves();
  await curves.load(async () => answer([1, 2, 4], [1, 1, 1]));
  curves.hear([beat(1, 7), beat(3, 8)]);
  expect(shown(curves)).toEqual({ steps: [1, 2, 3, 4], values: [7, 1, 8, 1] });
});

test('after a gap the new answer fills what was missed', async () => {
  const curves = new Curves();
  await curves.load(async () => answer([1], [1]));
  curves.hear([beat(2, 0.9)]);
  // 3 and 4 were told while this browser was away
  await curves.load(async () => answer([1, 2, 3, 4], [1, 0.9, 0.8, 0.7]));
  curves.hear([beat(5, 0.6)]);
  expect(shown(curves)?.steps).toEqual([1, 2, 3, 4, 5]);
});

test('of two answers that overtake each other the one asked for last counts', async () => {
  const curves = new Curves();
  let giveOld: (answer: Answer) => void = () => {};
  const old = curves.load(() => new Promise((done) => (giveOld = done)));
  await curves.load(async () => answer([1, 2], [1, 2]));
  giveOld(answer([1], [1]));
  await old;
  expect(shown(curves)?.steps).toEqual([1, 2]);
});

test('an answer that fails leaves what was there', async () => {
  const curves = new Curves();
  await curves.load(async () => answer([1], [1]));
  await expect(curves.load(() => Promise.reject(new Error('away')))).rejects.toThrow('away');
  curves.hear([beat(2, 2)]);
  expect(shown(curves)?.steps).toEqual([1, 2]);
});
