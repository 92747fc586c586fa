import { describe, expect, it } from 'vitest';
import { gpusIn, grown, hasValues, limitLine, lineFor, type Usage } from './usage';

function usage(at: number[], series: Usage['series'], every = 2): Usage {
  return { every, at, series, limits: { cpus: 2, memory_bytes: 1000 }, note: '' };
}

const CPU = { name: 'cpu_percent', label: 'CPU', colour: 'run-0' };

describe('grown', () => {
  it('adds what came after, each once', () => {
    const both = grown(usage([1, 3], { cpu_percent: [null, 5] }), usage([3, 5], { cpu_percent: [5, 7] }));
    expect(both?.at).toEqual([1, 3, 5]);
    expect(both?.series.cpu_percent).toEqual([null, 5, 7]);
  });

  it('fills series that one of them lacks', () => {
    const both = grown(usage([1], { cpu_percent: [1] }), usage([3], { gpu0_percent: [9] }));
    expect(both?.series).toEqual({ cpu_percent: [1, null], gpu0_percent: [null, 9] });
  });

  it('stays as it is where nothing came, and says where all is to be asked anew', () => {
    const known = usage([1], { cpu_percent: [1] });
    expect(grown(known, usage([], {}))?.at).toEqual([1]);
    expect(grown(known, usage([2], { cpu_percent: [1] }, 4))).toBeNull();
  });
});

describe('lines', () => {
  it('have a gap where nobody looked', () => {
    const line = lineFor(usage([0, 2, 100], { cpu_percent: [1, 2, 3] }), CPU);
    expect(line.steps).toEqual([0, 2, 4, 100]);
    expect(line.values).toEqual([1, 2, null, 3]);
  });

  it('are empty for a series that is not there', () => {
    expect(lineFor(usage([0, 2], {}), CPU).values).toEqual([null, null]);
  });

  it('show the limit only where the run comes near it', () => {
    const near = usage([0, 2], { cpu_percent: [10, 150] });
    expect(limitLine(near, lineFor(near, CPU), 200, 'limit')).toMatchObject({ steps: [0, 2], values: [200, 200] });
    const far = usage([0, 2], { cpu_percent: [10, 11] });
    expect(limitLine(far, lineFor(far, CPU), 200, 'limit')).toBeNull();
    expect(limitLine(near, lineFor(near, CPU), null, 'limit')).toBeNull();
  });
});

describe('what is there', () => {
  it('is found by name', () => {
    const some = usage([0], { gpu10_percent: [1], gpu2_memory_bytes: [null], gpu2_percent: [1], cpu_percent: [1] });
    expect(gpusIn(some)).toEqual([2, 10]);
    expect(hasValues(some, 'gpu2_memory_bytes')).toBe(false);
    expect(hasValues(some, 'cpu_percent')).toBe(true);
  });
});
