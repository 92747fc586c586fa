import { describe, expect, it } from 'vitest';
import { makeFormat } from '~/format/format';
import type { Event } from './line';
import { told } from './told';
import { eventWords } from './words';

const format = makeFormat('en');
const words = eventWords.en;

function event(type: string, data: Record<string, unknown> = {}, message = ''): Event {
  return { id: 1, project_id: 'p', job_id: 'j', at: 0, type, attempt: 1, message, data };
}

describe('told', () => {
  it('says what is particular', () => {
    expect(told(event('checkpoint', { kind: 'best', epoch: 3, bytes: 26_423_651 }), 1, words, format)).toEqual({
      title: 'Checkpoint best, epoch 3',
      detail: '26.4 MB',
    });
    expect(
      told(event('validation', { epoch: 1, metrics: { 'val/loss': 0.123456, bad: 'NaN' } }), 1, words, format).detail,
    ).toBe('val/loss 0.1235');
    expect(told(event('environment', { python: '3.11.7', packages: { a: '1' } }), 1, words, format).detail).toBe(
      'Python 3.11.7, 1 packages',
    );
    expect(told(event('sample', { epoch: 2 }), 4, words, format).title).toBe('4 pictures, epoch 2');
  });

  it('repeats nothing', () => {
    expect(told(event('launched', { code_hash: 'x' }, 'Started.'), 1, words, format)).toMatchObject({
      title: 'Started',
      detail: '',
    });
    expect(told(event('waiting', {}, 'Waits for a slot.'), 1, words, format).detail).toBe('Waits for a slot.');
  });

  it('shows what it does not know as it came', () => {
    expect(told(event('augmentation', { level: 2 }, 'harder now'), 1, words, format)).toEqual({
      title: 'augmentation',
      detail: 'harder now  level 2',
    });
    expect(told(event('constructor', {}), 1, words, format).title).toBe('constructor');
  });
});
