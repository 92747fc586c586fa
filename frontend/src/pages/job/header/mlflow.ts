/** The run's page in MLflow, or null where there is none that a browser should open. */
export function mlflowAddress(
  base: string | undefined,
  experiment: string | undefined,
  run: string | null,
): string | null {
  if (base === undefined || run === null || !/^https?:\/\//i.test(base)) return null;
  const root = base.replace(/\/+$/, '');
  if (!experiment) return root;
  return `${root}/#/experiments/${encodeURIComponent(experiment)}/runs/${encodeURIComponent(run)}`;
}
