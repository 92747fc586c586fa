import { expect, test } from 'vitest';
import { epochShown, epochsOf } from './epochs';

const run = (...epochs: number[]) => epochs.map((epoch) => ({ epoch }));

test('the newest epoch that all runs have pictures of; runs without any do not count', () => {
  expect(epochShown([run(1, 2, 3), run(1, 2)], null)).toBe(2);
  expect(epochShown([run(1, 2, 3), run()], null)).toBe(3);
  expect(epochShown([run(1), run(2)], null)).toBe(2);
  expect(epochShown([run(), run()], null)).toBeNull();
});

test('the chosen one while any run has it', () => {
  expect(epochShown([run(1, 2, 3), run(1, 2)], 3)).toBe(3);
  expect(epochShown([run(1, 2)], 7)).toBe(2);
});

test('every epoch once, in order', () => {
  expect(epochsOf([run(3, 1), run(2, 3)])).toEqual([1, 2, 3]);
});
