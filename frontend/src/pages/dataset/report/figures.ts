/** Figures of a report as they are drawn. */
import type { Schemas } from '~/api/client';
import type { Report } from '../queries';

export type Bar = { id: number; name: string; total: number; parts: { split: string; count: number }[] };

/** Classes by how much there is of each, most first; by boxes where there are some. */
export function bars(report: Report): { what: 'boxes' | 'pictures'; bars: Bar[]; most: number } {
  const what = report.classes.some((one) => sum(one.boxes) > 0) ? 'boxes' : 'pictures';
  const splits = Object.keys(report.splits);
  const made = report.classes.map((one) => ({
    id: one.id,
    name: one.name,
    total: sum(one[what]),
    parts: splits.map((split) => ({ split, count: one[what][split] ?? 0 })).filter((part) => part.count > 0),
  }));
  made.sort((a, b) => b.total - a.total || a.id - b.id);
  return { what, bars: made, most: Math.max(1, made[0]?.total ?? 1) };
}

const sum = (counts: Record<string, number>) => Object.values(counts).reduce((all, one) => all + one, 0);

export type Problem = Schemas['ProblemFound'];
export type Gathered = { code: Problem['code']; severity: Problem['severity']; count: number; found: Problem[] };

/** One entry a kind and severity, whatever the split; errors first, then the most frequent. */
export function gathered(problems: readonly Problem[]): Gathered[] {
  const kinds = new Map<string, Gathered>();
  for (const one of problems) {
    const key = `${one.severity} ${one.code}`;
    const known = kinds.get(key) ?? { code: one.code, severity: one.severity, count: 0, found: [] };
    kinds.set(key, { ...known, count: known.count + one.count, found: [...known.found, one] });
  }
  return [...kinds.values()].sort((a, b) => rank(a) - rank(b) || b.count - a.count);
}

const rank = (one: Gathered) => (one.severity === 'error' ? 0 : 1);

/** A split keeps its colour everywhere. */
export function splitColour(split: string): string {
  const known: Record<string, string> = { train: 'var(--run-0)', val: 'var(--run-1)', test: 'var(--run-2)' };
  return known[split] ?? 'var(--run-3)';
}
