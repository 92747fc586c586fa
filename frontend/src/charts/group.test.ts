// @vitest-environment node
import { expect, test } from 'vitest';
import { group } from './group';

const told = (names: string[], best?: string) =>
  group(names, best).map(({ title, kind, measured }) => [title, kind, measured.map(({ name }) => name)]);

test('training and validation of the same thing share a chart, training first', () => {
  expect(told(['val/loss', 'train/loss', 'val/accuracy', 'train/accuracy'])).toEqual([
    ['accuracy', 'metric', ['train/accuracy', 'val/accuracy']],
    ['loss', 'loss', ['train/loss', 'val/loss']],
  ]);
});

test('the best metric comes first, then metrics, losses, learning rates, others', () => {
  const names = ['fps', 'lr', 'train/box_loss', 'val/mAP50', 'val/mAP50-95', 'val/precision'];
  expect(told(names, 'val/precision').map(([title]) => title)).toEqual([
    'precision',
    'mAP50',
    'mAP50-95',
    'box_loss',
    'lr',
    'fps',
  ]);
});

test('learning rates are one chart, wherever they are told', () => {
  expect(told(['lr/pg0', 'lr/pg1', 'lr/pg10', 'train/lr'])).toEqual([
    ['lr', 'rate', ['lr/pg0', 'lr/pg1', 'lr/pg10', 'train/lr']],
  ]);
  expect(told(['learning_rate', 'lr0']).length).toBe(1);
});

test("Ultralytics' and Keras' own names are understood", () => {
  expect(told(['metrics/mAP50(B)', 'val/mAP50(B)'])).toEqual([
    ['mAP50(B)', 'metric', ['metrics/mAP50(B)', 'val/mAP50(B)']],
  ]);
  expect(told(['accuracy', 'val_accuracy', 'loss', 'val_loss'])).toEqual([
    ['accuracy', 'metric', ['accuracy', 'val_accuracy']],
    ['loss', 'loss', ['loss', 'val_loss']],
  ]);
});

test('a folder of other things is one chart, a lone name its own', () => {
  expect(told(['time/data', 'time/step', 'fps'])).toEqual([
    ['fps', 'other', ['fps']],
    ['time', 'other', ['time/data', 'time/step']],
  ]);
});

test('what is counted by steps stays apart from what is counted by epochs', () => {
  const groups = group(['train/loss', 'val/loss'], null, new Set(['train/loss']));
  expect(groups.map(({ id, perStep }) => [id, perStep])).toEqual([
    ['loss', false],
    ['loss step', true],
  ]);
});

test('a name that is only a prefix, and no names at all', () => {
  expect(told(['train/'])).toEqual([['train', 'other', ['train/']]]);
  expect(told([])).toEqual([]);
});

test('a label says what the title does not', () => {
  const labels = (names: string[]) => group(names).flatMap(({ measured }) => measured.map(({ short }) => short));
  expect(labels(['train/loss', 'val/loss'])).toEqual(['train', 'val']);
  expect(labels(['metrics/mAP50(B)'])).toEqual(['metrics']);
  expect(labels(['loss', 'val_loss'])).toEqual(['loss', 'val']);
  expect(labels(['lr/pg0', 'lr'])).toEqual(['lr', 'pg0']);
  expect(labels(['time/data', 'fps'])).toEqual(['fps', 'data']);
});
