import { describe, expect, it } from 'vitest';
import { OF_PICTURES, problemWords } from '../problemWords';
import type { Report } from '../queries';
import { bars, gathered, type Problem } from './figures';

const problem = (changes: Partial<Problem>): Problem => ({
  code: 'box_outside',
  severity: 'error',
  message: '',
  count: 1,
  split: 'train',
  files: [],
  ...changes,
});

const report = (classes: Report['classes']) => ({ classes, splits: { train: {}, val: {} } }) as unknown as Report;

describe('the figures of a report', () => {
  it('sorts classes by what there is most of', () => {
    const found = bars(
      report([
        { id: 0, name: 'cat', pictures: { train: 9 }, boxes: { train: 1, val: 1 } },
        { id: 1, name: 'dog', pictures: { train: 1 }, boxes: { train: 5 } },
        { id: 2, name: 'cow', pictures: {}, boxes: {} },
      ]),
    );
    expect(found.what).toBe('boxes');
    expect(found.bars.map((one) => [one.name, one.total])).toEqual([
      ['dog', 5],
      ['cat', 2],
      ['cow', 0],
    ]);
    expect(found.bars[1]?.parts).toEqual([
      { split: 'train', count: 1 },
      { split: 'val', count: 1 },
    ]);
  });

  it('counts pictures where nothing has a box', () => {
    const found = bars(report([{ id: 0, name: 'cat', pictures: { train: 3, val: 1 }, boxes: {} }]));
    expect(found).toMatchObject({ what: 'pictures', most: 4 });
    expect(bars(report([])).most).toBe(1);
  });

  it('puts what is the same in several splits together, errors first', () => {
    const found = gathered([
      problem({ code: 'imbalance', severity: 'warning', count: 99 }),
      problem({ count: 2 }),
      problem({ count: 3, split: 'val' }),
      problem({ severity: 'warning', count: 1 }),
      problem({ code: 'unreadable_picture', count: 7 }),
    ]);
    expect(found.map((one) => [one.code, one.severity, one.count, one.found.length])).toEqual([
      ['unreadable_picture', 'error', 7, 1],
      ['box_outside', 'error', 5, 2],
      ['imbalance', 'warning', 99, 1],
      ['box_outside', 'warning', 1, 1],
    ]);
  });

  it('has words for every kind in both languages, none left as it was', () => {
    for (const code of OF_PICTURES) {
      expect(problemWords.ko[code]).not.toBe(problemWords.en[code]);
      expect(problemWords.ko[`${code}_do`]).toMatch(/[가-힣].*\.$/);
      expect(problemWords.en[`${code}_do`]).toMatch(/\.$/);
    }
  });
});
