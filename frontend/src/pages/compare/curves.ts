/** From the curves of several runs to charts: a colour a run, what was validated dashed beside what was trained. */
import type { Job } from '~/api/client';
import type { Curve } from '~/charts/curves';
import { type Group, group } from '~/charts/group';
import type { Line } from '~/charts/lines';
import { RUN_COLOURS } from '~/ui/tokens';

export type Panel = Pick<Group, 'id' | 'title' | 'kind' | 'perStep'> & { lines: Line[] };
type Run = Pick<Job, 'id' | 'name' | 'epochs'> & { colour: number };

/** `training`: also what was measured in training where it was validated, too. */
export function panels(
  runs: readonly Run[],
  curves: ReadonlyMap<string, ReadonlyMap<string, Curve>>,
  best: string | null,
  training: boolean,
): Panel[] {
  const names = new Set(runs.flatMap((run) => [...(curves.get(run.id)?.keys() ?? [])]));
  return group(names, best, perStep(runs, curves)).map(({ measured, id, title, kind, perStep }) => {
    const validated = measured.some(({ role }) => role === 'val');
    const shown = training || !validated ? measured : measured.filter(({ role }) => role === 'val');
    const lines = runs.flatMap((run) =>
      shown.flatMap(({ name, role }): Line[] => {
        const curve = curves.get(run.id)?.get(name);
        if (curve === undefined) return [];
        const own = run.name || run.id;
        return [
          {
            id: `${run.id} ${name}`,
            label: shown.length > 1 ? `${own} · ${name}` : own,
            colour: `run-${run.colour % RUN_COLOURS}`,
            dashed: role === 'val' && shown.length > 1,
            steps: curve.steps,
            values: curve.values,
          },
        ];
      }),
    );
    return { id, title: shown.length === 1 ? (shown[0]?.name ?? title) : title, kind, perStep, lines };
  });
}

/** Metrics whose steps go beyond the epochs are counted by something else. */
function perStep(runs: readonly Run[], curves: ReadonlyMap<string, ReadonlyMap<string, Curve>>): ReadonlySet<string> {
  return new Set(
    runs.flatMap(({ id, epochs }) =>
      [...(curves.get(id) ?? [])]
        .filter(([, { steps }]) => epochs !== null && (steps.at(-1) ?? 0) > epochs)
        .map(([name]) => name),
    ),
  );
}
