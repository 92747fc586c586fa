/** What a run used of its machine, as lines of charts. Pure. */
import type { Schemas } from '~/api/client';
import type { Line } from '~/charts/lines';

export type Usage = Schemas['UsageOut'];

/** What is known, with what came after it; null where the two don't fit together and all has to be asked anew. */
export function grown(known: Usage, more: Usage): Usage | null {
  if (more.every !== known.every) return null;
  const last = known.at.at(-1) ?? 0;
  const first = more.at.findIndex((at) => at > last);
  if (first < 0) return { ...known, limits: more.limits, note: more.note };
  const names = new Set([...Object.keys(known.series), ...Object.keys(more.series)]);
  const fresh = more.at.slice(first);
  const series = [...names].map((name) => [
    name,
    [...filled(known.series[name], known.at.length), ...filled(more.series[name]?.slice(first), fresh.length)],
  ]);
  return { ...more, at: [...known.at, ...fresh], series: Object.fromEntries(series) };
}

function filled(values: readonly (number | null)[] | undefined, length: number): (number | null)[] {
  return Array.from({ length }, (_, place) => values?.[place] ?? null);
}

export type Wanted = { name: string; label: string; colour: string };

/** One series as a line; nothing is drawn over a time in which nobody looked (between two attempts). */
export function lineFor(usage: Usage, { name, label, colour }: Wanted): Line {
  const steps: number[] = [];
  const values: (number | null)[] = [];
  const series = usage.series[name] ?? [];
  for (const [place, at] of usage.at.entries()) {
    const before = steps.at(-1);
    if (before !== undefined && at - before > usage.every * 4) {
      steps.push(before + usage.every);
      values.push(null);
    }
    steps.push(at);
    values.push(series[place] ?? null);
  }
  return { id: name, label, colour, steps, values };
}

/** The most there is, as a line: only where the run comes near it, or the curve would be pressed flat. */
export function limitLine(usage: Usage, line: Line, limit: number | null, label: string): Line | null {
  const [first, last] = [usage.at[0], usage.at.at(-1)];
  const most = line.values.reduce<number>((most, value) => Math.max(most, value ?? 0), 0);
  if (limit === null || first === undefined || last === undefined || most < limit * 0.3) return null;
  return { id: 'limit', label, colour: 'muted', dashed: true, steps: [first, last], values: [limit, limit] };
}

/** The numbers of the GPUs that anything is known of. */
export function gpusIn(usage: Usage): number[] {
  const found = Object.keys(usage.series).flatMap((name) => {
    const number = /^gpu(\d+)_/.exec(name)?.[1];
    return number === undefined ? [] : [Number(number)];
  });
  return [...new Set(found)].sort((one, other) => one - other);
}

export function hasValues(usage: Usage, name: string): boolean {
  return usage.series[name]?.some((value) => value !== null) ?? false;
}
