import { expect, test } from 'vitest';
import type { Job } from '~/api/client';
import { bestPlace, change, type Run, sections } from './table';

const summary = (last: number | 'NaN', max = last) => ({ last, last_step: 1, min: 0, min_step: 1, max, max_step: 1 });

function run(told: Partial<Job>, packages: Record<string, string> = {}): Run {
  const job = { id: 'j', state: 'SUCCEEDED', params: {}, resources: {}, metrics: {}, started_at: null, ...told } as Job;
  const around = { code_hash: 'abcdef0123456789', environment: { python: '3.11.7', gpus: [], packages } };
  return { job, around: around as unknown as Run['around'] };
}

const find = (runs: Run[], id: string) => sections(runs).find((section) => section.id === id)?.rows ?? [];

test('a parameter that one run does not have is a difference', () => {
  const rows = find([run({ params: { lr: 0.1, epochs: 3 } }), run({ params: { epochs: 3 } })], 'params');
  expect(rows.map((row) => [row.name, row.values, row.differs])).toEqual([
    ['epochs', [3, 3], false],
    ['lr', [0.1, null], true],
  ]);
});

test('of the trainer’s own metric the best counts, of others the last', () => {
  const metrics = { 'val/acc': summary(0.5, 0.9), 'val/loss': summary(0.3, 2) };
  const rows = find([run({ metrics, best_metric: 'val/acc', best_mode: 'max' })], 'metrics');
  expect(rows.map((row) => [row.name, row.values[0]])).toEqual([
    ['val/acc', 0.9],
    ['val/loss', 0.3],
  ]);
});

test('NaN in both is no difference, and has no distance', () => {
  const one = run({ metrics: { loss: summary('NaN') } });
  expect(find([one, one], 'metrics')[0]?.differs).toBe(false);
  expect(change(Number.NaN, 1)).toBeNull();
});

test('packages are compared by version, and what nobody has is left out', () => {
  const rows = find([run({}, { numpy: '2.0' }), run({}, { numpy: '2.1' })], 'environment');
  expect(rows.map((row) => [row.name, row.differs])).toEqual([
    ['numpy ==', true],
    ['python', false],
  ]);
});

test('a name from a trainer is a name, whatever it is', () => {
  const rows = find(
    [run({ params: { lr: 1 } }), run({ params: JSON.parse('{"constructor": 2, "__proto__": 3}') })],
    'params',
  );
  expect(rows.map((row) => [row.name, row.values])).toEqual([
    ['__proto__', [null, 3]],
    ['constructor', [null, 2]],
    ['lr', [1, null]],
  ]);
});

test('a change is told of numbers that differ', () => {
  expect(change(3, 2)).toBe(1);
  expect(change(2, 2)).toBeNull();
  expect(change('b', 'a')).toBeNull();
  expect(change(1, null)).toBeNull();
});

test('the best of several is the largest or the smallest, and no draw', () => {
  expect(bestPlace([0.5, 0.9, null], 'max')).toBe(1);
  expect(bestPlace([0.5, 0.9, Number.NaN], 'min')).toBe(0);
  expect(bestPlace([0.5, 0.5], 'max')).toBeNull();
  expect(bestPlace([0.5, null], 'max')).toBeNull();
  expect(bestPlace([0.5, 0.9], null)).toBeNull();
});
