import { describe, expect, it } from 'vitest';
import { ApiError } from '~/api/client';
import {
  asJson,
  isOfPicture,
  isPicture,
  plainName,
  type Seen,
  scoresOf,
  seenOf,
  sureEnough,
  triable,
} from './findings';

const boxed = (label: string, confidence: number) => ({
  picture: 0,
  name: 'a.jpg',
  label,
  confidence,
  box: [1, 2, 3, 4],
});

const seen = (predictions: Seen['predictions']): Seen => ({
  checkpoint: 'jobs/x/checkpoints/best.pt',
  note: '',
  warm: true,
  seconds: { model: 0.01, total: 0.02 },
  width: 10,
  height: 20,
  predictions,
});

describe('what a checkpoint saw', () => {
  it('is taken from the answer for one picture', () => {
    const answer = {
      ...seen([boxed('cat', 0.9), { ...boxed('dog', 0.8), picture: 1 }]),
      count: 2,
      pictures: [{ name: 'a.jpg', width: 64, height: 48, overlay: null }],
    };
    expect(seenOf(answer)).toMatchObject({ width: 64, height: 48, predictions: [{ label: 'cat' }] });
  });

  it('is filtered by the slider, the surest first', () => {
    const found = [boxed('a', 0.2), boxed('b', 0.9), boxed('c', 0.25)];
    expect(sureEnough(found, 0.25).map((one) => one.label)).toEqual(['b', 'c']);
    expect(found[0]?.label).toBe('a');
  });

  it('is classes by share, or boxes', () => {
    const classified = {
      picture: 0,
      name: '',
      label: 'dog',
      confidence: 0.6,
      box: null,
      scores: { cat: 0.4, dog: 0.6 },
    };
    expect(scoresOf(seen([classified]))).toEqual([
      { label: 'dog', share: 0.6 },
      { label: 'cat', share: 0.4 },
    ]);
    expect(scoresOf(seen([boxed('a', 1)]))).toBeNull();
    expect(scoresOf(seen([]))).toBeNull();
  });

  it('is copied as it is shown', () => {
    const copied = JSON.parse(asJson('job-1', '고양이.jpg', seen([boxed('a', 0.2), boxed('b', 0.9)]), 0.5));
    expect(copied).toMatchObject({ job: 'job-1', picture: '고양이.jpg', confidence: 0.5 });
    expect(copied.predictions).toEqual([{ label: 'b', confidence: 0.9, box: [1, 2, 3, 4] }]);
  });
});

describe('pictures', () => {
  it('are told from other files', () => {
    expect(isPicture({ type: 'image/png', name: 'x' })).toBe(true);
    expect(isPicture({ type: '', name: 'scan.TIFF' })).toBe(true);
    expect(isPicture({ type: 'text/plain', name: 'a.jpg' })).toBe(false);
    expect(isPicture({ type: '', name: 'notes' })).toBe(false);
  });

  it('are named as the API takes it', () => {
    expect(plainName('a\nb\x00.png')).toBe('a?b?.png');
    expect(plainName('x'.repeat(400))).toHaveLength(300);
  });

  it('are at fault by themselves, or everything is', () => {
    expect(isOfPicture(new ApiError(422, 'invalid_input', '', '', 'pictures.0.data'))).toBe(true);
    expect(isOfPicture(new ApiError(413, 'too_large', '', '', null))).toBe(true);
    expect(isOfPicture(new ApiError(502, 'prediction_failed', '', '', null))).toBe(false);
    expect(isOfPicture(new Error('x'))).toBe(false);
  });
});

it('jobs with a checkpoint can be tried, those that succeeded first', () => {
  const jobs = [
    { id: 1, state: 'FAILED', checkpoint: 'last' },
    { id: 2, state: 'SUCCEEDED', checkpoint: null },
    { id: 3, state: 'SUCCEEDED', checkpoint: 'best' },
  ];
  expect(triable(jobs).map((job) => job.id)).toEqual([3, 1]);
});
