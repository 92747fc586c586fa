import { expect, test } from 'vitest';
import { panels } from './curves';

const curve = (...values: number[]) => ({ steps: values.map((_, index) => index + 1), values });
const run = (id: string, epochs = 3, colour = id.charCodeAt(0) - 97) => ({ id, name: `run ${id}`, epochs, colour });
const curves = new Map([
  [
    'a',
    new Map([
      ['train/acc', curve(1, 2)],
      ['val/acc', curve(1, 2)],
      ['lr', curve(1)],
    ]),
  ],
  ['b', new Map([['val/acc', curve(3)]])],
]);

test('a colour a run, the same on every chart, whoever has a curve there', () => {
  const [first, ...others] = panels([run('a'), run('b')], curves, 'val/acc', false);
  expect(first?.lines.map((line) => [line.label, line.colour])).toEqual([
    ['run a', 'run-0'],
    ['run b', 'run-1'],
  ]);
  expect(panels([run('b', 3, 12)], curves, null, false)[0]?.lines.map((line) => line.colour)).toEqual(['run-2']);
  expect(others.map((panel) => panel.title)).toEqual(['lr']);
});

test('training beside validation only when it is wanted, and then told apart', () => {
  const [panel] = panels([run('a')], curves, 'val/acc', true);
  expect(panel?.lines.map((line) => [line.label, line.dashed])).toEqual([
    ['run a · train/acc', false],
    ['run a · val/acc', true],
  ]);
  expect(panels([run('a')], curves, 'val/acc', false)[0]?.lines.map((line) => line.id)).toEqual(['a val/acc']);
});

test('what goes beyond the epochs of any run is counted by steps', () => {
  const steps = new Map([['a', new Map([['loss', { steps: [1, 900], values: [1, 2] }]])]]);
  expect(panels([run('a', 3)], steps, null, false)[0]?.perStep).toBe(true);
  expect(panels([run('a', 1000)], steps, null, false)[0]?.perStep).toBe(false);
});
