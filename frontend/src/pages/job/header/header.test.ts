// @vitest-environment node
import { expect, test } from 'vitest';
import type { State } from '~/api/client';
import { secondsLeft } from '~/format/eta';
import { mlflowAddress } from './mlflow';
import { actionsOf } from './possible';
import { epochsWanted, hadAllEpochs, usualCheckpoint } from './resume';

const job = (state: State, more: object = {}) => ({
  state,
  cancelling: false,
  checkpoint: 'checkpoints/x/last.pt',
  script: null,
  callbacks: true,
  ...more,
});
const all = (...given: Parameters<typeof actionsOf>) => {
  const { shown, folded } = actionsOf(...given);
  return [...shown, ...folded];
};

test('what runs can be cancelled, what has ended can be tried, gone on with and done again', () => {
  expect(actionsOf(job('RUNNING'), true).shown).toEqual(['cancel', 'clone', 'tryIt']);
  expect(actionsOf(job('SUCCEEDED'), true).shown).toEqual(['tryIt', 'clone', 'resume']);
  expect(actionsOf(job('FAILED'), true).shown).toEqual(['resume', 'retry', 'clone']);
  expect(all(job('RUNNING'), true)).not.toContain('retry');
});

test('a viewer changes nothing', () => {
  for (const state of ['PENDING', 'RUNNING', 'SUCCEEDED', 'FAILED', 'CANCELLED'] as const)
    expect(all(job(state), false)).toEqual(['copyId']);
});

test('no second cancel, nothing to go on from without a checkpoint, no script without its terminal', () => {
  expect(all(job('RUNNING', { cancelling: true }), true)).not.toContain('cancel');
  expect(all(job('FAILED', { checkpoint: null }), true)).toEqual(['retry', 'clone', 'copyId']);
  expect(all(job('FAILED', { script: 'mine.py' }), true)).toEqual(['tryIt', 'copyId']);
});

test('MLflow is linked only where a browser can go', () => {
  expect(mlflowAddress('http://mlflow:5000/', '3', 'abc')).toBe('http://mlflow:5000/#/experiments/3/runs/abc');
  expect(mlflowAddress('https://x', '', 'abc')).toBe('https://x');
  expect(mlflowAddress('file:///x', '3', 'abc')).toBeNull();
  expect(mlflowAddress('javascript:alert(1)//', '3', 'abc')).toBeNull();
  expect(mlflowAddress('http://x', '3', null)).toBeNull();
  expect(mlflowAddress('http://x', '3/../4', 'a b')).toBe('http://x/#/experiments/3%2F..%2F4/runs/a%20b');
});

test('the last checkpoint unless there is none', () => {
  const one = (kind: string, epoch: number | null = null) => ({ kind, key: kind, epoch, bytes: 1, at: null });
  expect(usualCheckpoint([one('best'), one('last')])).toBe('last');
  expect(usualCheckpoint([one('best')])).toBe('best');
  expect(usualCheckpoint([])).toBeNull();
  expect(hadAllEpochs({ params: { epochs: 10 } }, one('last', 10))).toBe(true);
  expect(hadAllEpochs({ params: { epochs: 10 } }, one('best', 7))).toBe(false);
  expect(hadAllEpochs({ params: {} }, one('last', 10))).toBe(false);
});

test('epochs: whole numbers from one on, nothing where a plan is left', () => {
  expect(epochsWanted(' 12 ', true)).toEqual({ number: 12, wrong: false });
  expect(epochsWanted('', false)).toEqual({ number: null, wrong: false });
  for (const text of ['0', '-1', '1.5', '1e3', 'ten', '2000000000'])
    expect(epochsWanted(text, false).wrong, text).toBe(true);
  expect(epochsWanted('', true).wrong).toBe(true);
});

test('time left is judged by the way so far', () => {
  const running = { state: 'RUNNING', started_at: 100, progress: 0.25, resume_from: null } as const;
  expect(secondsLeft(running, 200)).toBe(300);
  expect(secondsLeft({ ...running, progress: 0 }, 200)).toBeNull();
  expect(secondsLeft({ ...running, state: 'QUEUED', started_at: null, progress: null }, 200)).toBeNull();
  expect(secondsLeft({ ...running, state: 'SUCCEEDED', progress: 1 }, 200)).toBeNull();
  expect(secondsLeft({ ...running, resume_from: 'checkpoints/x/last.pt' }, 200)).toBeNull();
});
