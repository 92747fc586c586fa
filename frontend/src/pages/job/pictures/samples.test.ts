import { describe, expect, it } from 'vitest';
import type { LiveEvent } from '~/live/events';
import { boxesOf, classesOf, epochAt, isDetection, seen, verdictOf } from './marks';
import { type Sample, type Samples, withSample } from './samples';

function told(data: Record<string, unknown>): LiveEvent {
  return { id: 1, project_id: 'p', job_id: 'job-1', at: 0, type: 'sample', attempt: 1, message: '', data };
}

const NONE: Samples = { epochs: [] };
const cat = { label: 'cat', box: [0, 0, 0.5, 0.5] };

function sample(truth: Sample['truth'], found: Sample['found']): Sample {
  return { index: 0, url: 'u', plain_url: 'p', truth, found };
}

describe('withSample', () => {
  it('puts pictures into their places, in whatever order they come', () => {
    const order: [number, number][] = [
      [2, 1],
      [1, 0],
      [2, 0],
    ];
    const known = order.reduce(
      (known, [epoch, index]) => withSample(known, told({ epoch, index, plain: 'x', truth: [cat] })),
      NONE,
    );
    expect(known.epochs.map(({ epoch, items }) => [epoch, items.map((item) => item.index)])).toEqual([
      [1, [0]],
      [2, [0, 1]],
    ]);
    expect(known.epochs[1]?.items[1]).toMatchObject({
      url: '/v1/jobs/job-1/samples/2/1.jpg',
      plain_url: '/v1/jobs/job-1/samples/0/1.jpg',
      truth: [cat],
    });
  });

  it('takes a repeated one once', () => {
    const twice = [1, 2].reduce((known) => withSample(known, told({ epoch: 1, index: 0 })), NONE);
    expect(twice.epochs[0]?.items).toHaveLength(1);
    expect(twice.epochs[0]?.items[0]?.plain_url).toBeNull();
  });

  it.each([
    {},
    { epoch: 0, index: 0 },
    { epoch: 1 },
    { epoch: '1', index: 0 },
    { epoch: 1.5, index: 0 },
    { epoch: 1, index: -1 },
  ])('changes nothing for %j', (data) => expect(withSample(NONE, told(data))).toBe(NONE));

  it('leaves out marks that are none', () => {
    const known = withSample(
      NONE,
      told({
        epoch: 1,
        index: 0,
        truth: 'cat',
        found: [null, 7, { label: 3 }, { label: 'dog', box: ['a'], confidence: 'high' }],
      }),
    );
    expect(known.epochs[0]?.items[0]).toMatchObject({ truth: [], found: [{ label: 'dog', box: null, confidence: 0 }] });
  });
});

describe('marks', () => {
  const one = sample([cat], [{ label: 'dog', box: [0.1, 0.1, 1, 1], confidence: 0.7 }]);

  it('draws truth dashed and findings solid, and neither where it is off', () => {
    const on = { truth: true, found: true, hidden: new Set<string>() };
    expect(boxesOf(one, on).map(({ label, dashed }) => [label, dashed])).toEqual([
      ['cat', true],
      ['dog', false],
    ]);
    expect(boxesOf(one, { ...on, truth: false }).map((box) => box.label)).toEqual(['dog']);
    expect(boxesOf(one, { ...on, hidden: new Set(['dog']) }).map((box) => box.label)).toEqual(['cat']);
  });

  it('tells detection from classification', () => {
    expect(isDetection([{ epoch: 1, items: [one] }])).toBe(true);
    expect(isDetection([{ epoch: 1, items: [sample([{ label: 'a', box: null }], [])] }])).toBe(false);
  });

  it('judges by the likeliest class', () => {
    const found = [
      { label: '3', confidence: 0.2 },
      { label: '7', confidence: 0.8 },
    ];
    expect(verdictOf(sample([{ label: '7' }], found))).toEqual({
      label: '7',
      confidence: 0.8,
      wanted: '7',
      right: true,
    });
    expect(verdictOf(sample([{ label: '3' }], found)).right).toBe(false);
    expect(verdictOf(sample([], found)).right).toBeNull();
    expect(verdictOf(sample([{ label: '3' }], []))).toMatchObject({ label: null, right: false });
  });

  it('lists classes as people count', () => {
    const item = (label: string) => ({ epoch: 1, items: [sample([{ label }], [])] });
    expect(classesOf(['10', '9', 'b', 'a', '9'].map(item))).toEqual(['9', '10', 'a', 'b']);
  });

  it('shows the pictures of the classes that are on', () => {
    const nine = sample([{ label: '9' }], [{ label: '4', confidence: 1 }]);
    expect(seen([nine], false, new Set(['9']))).toEqual([nine]);
    expect(seen([nine], false, new Set(['9', '4']))).toEqual([]);
    expect(seen([nine], true, new Set(['9', '4']))).toEqual([nine]);
  });

  it('stays at the chosen epoch, and at the newest where none is chosen', () => {
    const epochs = [1, 2, 5].map((epoch) => ({ epoch, items: [] }));
    expect(epochAt(epochs, 2)).toBe(1);
    expect(epochAt(epochs, null)).toBe(2);
    expect(epochAt(epochs, 3)).toBe(2);
  });
});
