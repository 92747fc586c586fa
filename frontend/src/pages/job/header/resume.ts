/** What going on from a checkpoint asks for. */
import type { Job, Schemas } from '~/api/client';

type Checkpoint = Schemas['CheckpointOut'];

/** Where one goes on unless one says otherwise. */
export function usualCheckpoint(items: Checkpoint[]): string | null {
  return (items.find((item) => item.kind === 'last') ?? items[0])?.kind ?? null;
}

/** Then there is no plan left to go on with. */
export function hadAllEpochs(job: Pick<Job, 'params'>, checkpoint: Checkpoint | undefined): boolean {
  const planned = job.params.epochs;
  return typeof planned === 'number' && checkpoint?.epoch != null && checkpoint.epoch >= planned;
}

export function epochsWanted(text: string, needed: boolean): { number: number | null; wrong: boolean } {
  const told = text.trim();
  if (told === '') return { number: null, wrong: needed };
  const number = Number(told);
  const fine = /^\d+$/.test(told) && number >= 1 && number <= 1e9;
  return { number: fine ? number : null, wrong: !fine };
}
