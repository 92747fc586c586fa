import { describe, expect, it } from 'vitest';
import type { Schemas } from '~/api/client';
import { filtered, parameterRows, toldOf, wishes } from './parameters';

function parameter(value: number | string, core = false): Schemas['Parameter'] {
  return { type: 'int', default: value, core, help: 'what it does', help_ko: '' };
}

const manifest = {
  params: { patience: parameter(0), epochs: parameter(10, true), imgsz: parameter(640, true) },
  tasks: { classify: { models: [], default_model: '', best_metric: '', best_goal: 'max', defaults: { imgsz: 224 } } },
} as unknown as Schemas['Manifest'];

describe('parameterRows', () => {
  it('marks what is not as usual, by the defaults of its task', () => {
    const rows = parameterRows({ task: 'classify', params: { epochs: 3, imgsz: 224, patience: 0 } }, manifest);
    expect(rows.map(({ name, usual, changed }) => [name, usual, changed])).toEqual([
      ['epochs', 10, true],
      ['imgsz', 224, false],
      ['patience', 0, false],
    ]);
    expect(parameterRows({ task: 'detect', params: { imgsz: 224 } }, manifest)[0]?.changed).toBe(true);
  });

  it('shows what its trainer does not know last, without a mark', () => {
    const rows = parameterRows({ task: 'classify', params: { zeta: 1, alpha: 'x', epochs: 10 } }, manifest);
    expect(rows.map(({ name, usual, changed }) => [name, usual, changed])).toEqual([
      ['epochs', 10, false],
      ['alpha', undefined, false],
      ['zeta', undefined, false],
    ]);
    expect(parameterRows({ task: 'classify', params: { b: true, a: 1 } }, null).map((row) => row.name)).toEqual([
      'a',
      'b',
    ]);
  });

  it('helps in English where there is no Korean', () => {
    expect(parameterRows({ task: 'classify', params: { epochs: 1 } }, manifest)[0]?.help.ko).toBe('what it does');
  });
});

describe('toldOf', () => {
  it('sorts what a trainer told', () => {
    const told = toldOf({
      python: '3.11.7',
      cpus: 2,
      gpus: [],
      torch: { version: '2.15', cuda: null },
      packages: { numpy: '2.4' },
      variables: { EPOCHS: '3' },
      other_variables: ['HOME'],
    });
    expect(told).toEqual({
      facts: [
        ['python', '3.11.7'],
        ['cpus', '2'],
        ['torch', 'version 2.15'],
      ],
      packages: [['numpy', '2.4']],
      variables: [['EPOCHS', '3']],
      others: ['HOME'],
      cut: false,
    });
  });

  it('takes anything that somebody else’s trainer tells', () => {
    const told = toldOf({
      packages: ['a'],
      variables: 7,
      other_variables: { a: 1 },
      deep: { a: { b: [1, null] } },
      cut: true,
    });
    expect(told).toEqual({ facts: [['deep', 'a b 1']], packages: [], variables: [], others: [], cut: true });
    expect(toldOf(null).facts).toEqual([]);
  });
});

describe('the rest', () => {
  it('filters by any part', () => {
    const rows = [
      ['numpy', '2.4'],
      ['torch', '2.15'],
    ] as const;
    expect(filtered(rows, ' 2.15')).toEqual([['torch', '2.15']]);
    expect(filtered(rows, '')).toHaveLength(2);
  });

  it('lists what was asked of a cluster', () => {
    expect(wishes({ tolerations: [] })).toEqual([]);
    expect(
      wishes({
        cpu: '2',
        gpus: 0,
        queue: null,
        node_selector: { disk: 'ssd' },
        tolerations: [{ key: 'gpu', operator: 'Exists', value: '', effect: 'NoSchedule' }],
      }),
    ).toEqual([
      ['cpu', '2'],
      ['gpus', '0'],
      ['node_selector', 'disk=ssd'],
      ['tolerations', 'gpu:NoSchedule'],
    ]);
  });
});
