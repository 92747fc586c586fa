/** How somebody arranged the charts: remembered for each kind of training, in this browser. */

export type Layout = { order: string[]; hidden: string[]; large: string[]; log: string[] };
export type Mark = 'hidden' | 'large' | 'log';

export const PLAIN: Layout = { order: [], hidden: [], large: [], log: [] };
const MOST = 500; // names that are kept

/** The charts as they were put; those that nobody moved come where they would be, after the one before them. */
export function arranged<T extends { id: string }>(charts: readonly T[], layout: Layout): T[] {
  const moved = layout.order.flatMap((id) => charts.filter((chart) => chart.id === id));
  const result = [...moved];
  charts.forEach((chart, place) => {
    if (layout.order.includes(chart.id)) return;
    const before = charts[place - 1];
    result.splice(before === undefined ? 0 : result.indexOf(before) + 1, 0, chart);
  });
  return result;
}

/** `id` to the place of `target` in what is shown (`ids`, in that order). */
export function moved(layout: Layout, ids: readonly string[], id: string, target: string): Layout {
  const to = ids.indexOf(target);
  if (to < 0 || !ids.includes(id) || id === target) return layout;
  const order = ids.filter((one) => one !== id);
  order.splice(to, 0, id);
  return { ...layout, order };
}

export function toggled(layout: Layout, mark: Mark, id: string): Layout {
  const before = layout[mark];
  return { ...layout, [mark]: before.includes(id) ? before.filter((one) => one !== id) : [...before, id] };
}

export function writeLayout(layout: Layout): string {
  return JSON.stringify(layout);
}

/** What was kept, as far as it is one. */
export function readLayout(text: string | null): Layout {
  let kept: unknown;
  try {
    kept = JSON.parse(text ?? '{}');
  } catch {
    return PLAIN;
  }
  if (typeof kept !== 'object' || kept === null) return PLAIN;
  const names = (value: unknown) =>
    Array.isArray(value) ? value.filter((one): one is string => typeof one === 'string').slice(0, MOST) : [];
  const told = kept as Record<string, unknown>;
  return { order: names(told.order), hidden: names(told.hidden), large: names(told.large), log: names(told.log) };
}
