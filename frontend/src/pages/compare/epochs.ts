/** At which epoch pictures are compared. */
type Epochs = readonly { epoch: number }[];

/** Every epoch that any run has pictures of. */
export function epochsOf(runs: readonly Epochs[]): number[] {
  return [...new Set(runs.flatMap((epochs) => epochs.map(({ epoch }) => epoch)))].sort((a, b) => a - b);
}

/** The chosen one where it is there, else the newest that all have, else the newest of any. */
export function epochShown(runs: readonly Epochs[], chosen: number | null): number | null {
  const any = epochsOf(runs);
  if (chosen !== null && any.includes(chosen)) return chosen;
  const common = any.filter((epoch) =>
    runs.every((epochs) => epochs.length === 0 || epochs.some((one) => one.epoch === epoch)),
  );
  return common.at(-1) ?? any.at(-1) ?? null;
}
