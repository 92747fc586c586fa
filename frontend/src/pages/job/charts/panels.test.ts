// @vitest-environment node
import { expect, test } from 'vitest';
import type { Curve } from '~/charts/curves';
import { bestOf, panels } from './panels';

const curves = (told: Record<string, number[]>): Map<string, Curve> =>
  new Map(Object.entries(told).map(([name, values]) => [name, { steps: values.map((_, i) => i + 1), values }]));

const goals = { best_metric: 'val/top1', best_mode: 'max', epochs: 5 } as const;

test('the best epoch is where the best metric was best; NaN never is', () => {
  const found = curves({ 'val/top1': [0.1, Number.NaN, 0.9, 0.9, Number.POSITIVE_INFINITY] });
  expect(bestOf(found, goals)).toEqual({ metric: 'val/top1', step: 3, value: 0.9 });
  expect(bestOf(found, { ...goals, best_mode: 'min' })?.step).toBe(1);
  expect(bestOf(found, { ...goals, best_metric: 'val/other' })).toBeNull();
  expect(bestOf(curves({ 'val/top1': [Number.NaN] }), goals)).toBeNull();
});

test('training is solid in the first colour, validation dashed in the second, also alone', () => {
  const found = curves({ 'train/loss': [1], 'val/loss': [2], 'val/top1': [0.5] });
  const lines = panels(found, goals, bestOf(found, goals)).flatMap((panel) => panel.lines);
  expect(lines.map(({ id, colour, dashed, best }) => [id, colour, dashed, best])).toEqual([
    ['val/top1', 'run-1', true, 1],
    ['train/loss', 'run-0', false, null],
    ['val/loss', 'run-1', true, null],
  ]);
});

test('lines of one chart never share a colour', () => {
  const found = curves({
    'train/loss': [1],
    'training/loss': [1],
    'val/loss': [1],
    'test/loss': [1],
    'eval/loss': [1],
  });
  const colours = panels(found, goals, null)[0]?.lines.map(({ colour }) => colour) ?? [];
  expect(new Set(colours).size).toBe(5);
});

test('metrics that go on beyond the epochs are counted by steps', () => {
  const found = curves({ 'train/loss': [1, 1, 1, 1, 1, 1, 1], 'val/loss': [1] });
  expect(panels(found, goals, null).map(({ perStep, lines }) => [perStep, lines[0]?.id])).toEqual([
    [false, 'val/loss'],
    [true, 'train/loss'],
  ]);
});
