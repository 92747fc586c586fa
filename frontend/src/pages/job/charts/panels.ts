/** From a job's curves to the charts of its page. */
import type { Job } from '~/api/client';
import type { Curve } from '~/charts/curves';
import { type Group, group, type Role } from '~/charts/group';
import type { Line } from '~/charts/lines';
import { RUN_COLOURS } from '~/ui/tokens';

export type Panel = Omit<Group, 'measured'> & { lines: Line[] };
export type Best = { metric: string; step: number; value: number };
type Goals = Pick<Job, 'best_metric' | 'best_mode' | 'epochs'>;

/** Where the job's best metric was best; null where it has none, or no number of it. */
export function bestOf(
  curves: ReadonlyMap<string, Curve>,
  { best_metric: metric, best_mode: mode }: Goals,
): Best | null {
  const curve = metric == null ? undefined : curves.get(metric);
  if (metric == null || curve === undefined) return null;
  let found: Best | null = null;
  curve.values.forEach((value, place) => {
    const better = found === null || (mode === 'min' ? value < found.value : value > found.value);
    if (Number.isFinite(value) && better) found = { metric, step: curve.steps[place] as number, value };
  });
  return found;
}

export function panels(curves: ReadonlyMap<string, Curve>, job: Goals, best: Best | null): Panel[] {
  return group(curves.keys(), job.best_metric, perStep(curves, job.epochs)).map(({ measured, ...rest }) => ({
    ...rest,
    lines: measured.map(({ name, role, short }, place) => ({
      id: name,
      label: short,
      colour: colourOf(
        place,
        measured.map((one) => one.role),
      ),
      dashed: role === 'val',
      steps: curves.get(name)?.steps ?? [],
      values: curves.get(name)?.values ?? [],
      best: best?.metric === name ? best.step : null,
    })),
  }));
}

/** What was trained and what was validated have the same two colours on every chart; what comes beyond takes the next. */
function colourOf(place: number, roles: Role[]): string {
  const role = roles[place];
  const number = role === 'val' && roles.indexOf('val') === place ? 1 : role === 'val' ? place + 1 : place;
  const lonely = role === 'train' && place > 0 ? place + 1 : number;
  return `run-${lonely % RUN_COLOURS}`;
}

/** Metrics whose steps go beyond the epochs are counted by something else. */
function perStep(curves: ReadonlyMap<string, Curve>, epochs: number | null): ReadonlySet<string> {
  if (epochs === null) return new Set();
  return new Set([...curves].filter(([, { steps }]) => (steps.at(-1) ?? 0) > epochs).map(([name]) => name));
}
