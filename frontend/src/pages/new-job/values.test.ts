import { describe, expect, it } from 'vitest';
import { readParam, sameValue } from './params';
import { parameter } from './testing';
import { checkWishes, cpuCount, memoryBytes, NO_WISHES, readTolerations, resourcesOf, wishesOf } from './wishes';
import { wrongWords } from './wrong';

describe('a parameter', () => {
  const count = parameter({ type: 'int', default: 1, min: 1, max: 100 });

  it.each([
    ['', 'This is needed.'],
    ['1.5', 'Give a whole number.'],
    ['0x10', 'Give a whole number.'],
    ['0', 'At least 1.'],
    ['101', 'At most 100.'],
  ])('%j is refused', (text, words) => {
    expect(readParam(count, text).wrong?.(wrongWords.en)).toBe(words);
  });

  it('is read as its type', () => {
    expect([readParam(count, ' 1e2 ').value, readParam(count, '1').value]).toEqual([100, 1]); // both ends are allowed
    expect(readParam(parameter({ type: 'float', default: 0 }), '.5').value).toBe(0.5);
    expect(readParam(parameter({ type: 'bool', default: false }), 'true').value).toBe(true);
    expect(readParam(parameter({ type: 'float', default: 0 }), 'Infinity').value).toBeUndefined();
    expect(readParam(parameter({ type: 'int', default: 0 }), '9007199254740993').wrong?.(wrongWords.en)).toContain(
      'large',
    );
  });

  it('keeps to its choices, and knows the same number written otherwise', () => {
    const choice = parameter({ type: 'str', default: 'a', choices: ['a', 'b'] });
    expect(readParam(choice, 'c').wrong?.(wrongWords.en)).toBe('One of: a, b.');
    expect(sameValue(parameter({ type: 'float', default: 0 }), '1e-3', '0.001')).toBe(true);
    expect(sameValue(count, 'x', '1')).toBe(false);
  });
});

describe('wishes', () => {
  it('are read as Kubernetes reads them', () => {
    expect(memoryBytes('4Gi')).toBe(4 * 2 ** 30);
    expect(memoryBytes('4GB')).toBeNull();
    expect(cpuCount('500m')).toBe(0.5);
    expect(cpuCount('2Gi')).toBeNull();
    expect(readTolerations('gpu, a=b:NoExecute')).toEqual([
      { key: 'gpu', operator: 'Exists', value: '', effect: null },
      { key: 'a', operator: 'Equal', value: 'b', effect: 'NoExecute' },
    ]);
    expect(readTolerations('a:Sometimes')).toBeNull();
  });

  it('are checked against each other', () => {
    const wishes = { ...NO_WISHES, cpu: '2', cpu_limit: '1500m', memory: '1Gi', shm: '2Gi', replicas: '2', gpus: '65' };
    expect([...checkWishes(wishes, false).keys()].sort()).toEqual(['cpu_limit', 'gpus', 'replicas', 'shm']);
    expect([...checkWishes({ ...wishes, cpu_limit: '', shm: '', gpus: '' }, true).keys()]).toEqual([]);
    expect(checkWishes({ ...NO_WISHES, memory: '512' }, true).get('memory')?.(wrongWords.en)).toContain('512Mi');
    expect(checkWishes({ ...NO_WISHES, image: 'Registry/App' }, true).has('image')).toBe(true);
    expect(checkWishes({ ...NO_WISHES, image: 'r.io:5000/a/b-c:V1' }, true).has('image')).toBe(false);
  });

  it('go to the backend and come back the same', () => {
    const wishes = {
      ...NO_WISHES,
      memory: '4Gi',
      replicas: '2',
      node_selector: 'zone=a',
      tolerations: 'gpu:NoSchedule',
    };
    expect(wishesOf(null, resourcesOf(wishes))).toEqual(wishes);
  });
});
