import { describe, expect, it } from 'vitest';
import type { Dataset } from '~/api/client';
import { facts, grouped, nextVersion, searched, verdict } from './grouping';

function dataset(id: string, changes: Partial<Dataset> = {}): Dataset {
  return {
    id,
    project_id: 'default',
    name: id,
    tasks: ['classify'],
    summary: {},
    bytes: 1,
    sha256: '',
    created_at: 1,
    version: 1,
    check: { state: 'done', progress: 1, errors: 0, warnings: 0 },
    ready: true,
    not_ready_because: [],
    jobs: 0,
    ...changes,
  };
}

const cats = [
  dataset('cats', { name: 'Cats', created_at: 1 }),
  dataset('cats-v3', { name: 'Cats', version: 3, created_at: 9 }),
  dataset('cats-v2', { name: 'Cats', version: 2, created_at: 5 }),
];

describe('the list of datasets', () => {
  it('shows the newest version of a name, older ones behind it', () => {
    const [first, second] = grouped([...cats, dataset('dogs', { created_at: 7 })]);
    expect(first?.newest.id).toBe('cats-v3');
    expect(first?.older.map((one) => one.id)).toEqual(['cats-v2', 'cats']);
    expect(second?.newest.id).toBe('dogs');
  });

  it('keeps projects apart', () => {
    expect(grouped([dataset('a', { name: 'x' }), dataset('b', { name: 'x', project_id: 'other' })])).toHaveLength(2);
  });

  it('finds all words in names, tasks and classes', () => {
    const groups = grouped([...cats, dataset('dogs', { summary: { classes: ['Poodle', 3] } })]);
    expect(searched(groups, ' classify POODLE').map((one) => one.newest.id)).toEqual(['dogs']);
    expect(searched(groups, '')).toHaveLength(2);
    expect(searched(groups, 'cats poodle')).toEqual([]);
  });

  it('says which version comes next', () => {
    expect(nextVersion(cats, ' Cats', 'default')).toBe(4);
    expect(nextVersion(cats, 'Cats', 'other')).toBe(1);
  });

  it('believes nothing of a summary', () => {
    expect(facts(dataset('a', { summary: { pictures: 'many', classes: 'cat', splits: null } }))).toEqual({
      pictures: null,
      classes: [],
      splits: {},
    });
    expect(facts(dataset('a', { summary: { pictures: 3, classes: ['x'], splits: { train: 3 } } })).splits).toEqual({
      train: 3,
    });
  });

  it('has one word for how it stands', () => {
    const check = dataset('a').check;
    expect(verdict(dataset('a'))).toBe('good');
    expect(verdict(dataset('a', { check: { ...check, warnings: 2 } }))).toBe('warnings');
    expect(verdict(dataset('a', { check: { ...check, errors: 1, warnings: 2 } }))).toBe('errors');
    expect(verdict(dataset('a', { check: { ...check, errors: 1 }, ready: false }))).toBe('not_ready');
    expect(verdict(dataset('a', { check: { ...check, state: 'failed' } }))).toBe('unchecked');
    expect(verdict(dataset('a', { check: { ...check, state: 'checking' }, ready: false }))).toBe('checking');
  });
});
