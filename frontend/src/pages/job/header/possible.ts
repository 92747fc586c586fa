/** Which actions a job offers: up to three as buttons, the others folded away. */
import type { Job, State } from '~/api/client';

export type Action = 'cancel' | 'retry' | 'clone' | 'resume' | 'tryIt' | 'copyId';

const ENDED: ReadonlySet<State> = new Set(['SUCCEEDED', 'FAILED', 'CANCELLED']);

export function hasEnded(job: Pick<Job, 'state'>): boolean {
  return ENDED.has(job.state);
}

type Known = Pick<Job, 'state' | 'cancelling' | 'checkpoint' | 'script' | 'callbacks'>;

export function actionsOf(job: Known, member: boolean): { shown: Action[]; folded: Action[] } {
  const ended = hasEnded(job);
  const again = member && ended && job.script === null; // only a terminal can run a script of its own again
  const possible: Record<Action, boolean> = {
    cancel: member && !ended && !job.cancelling,
    resume: again && job.checkpoint !== null && job.callbacks,
    retry: again,
    tryIt: member && job.checkpoint !== null,
    clone: member && job.script === null,
    copyId: true,
  };
  const inOrder: Action[] =
    job.state === 'SUCCEEDED'
      ? ['tryIt', 'clone', 'resume', 'retry', 'cancel', 'copyId']
      : ['cancel', 'resume', 'retry', 'clone', 'tryIt', 'copyId'];
  const found = inOrder.filter((action) => possible[action]);
  const shown = found.slice(0, 3).filter((action) => action !== 'copyId');
  return { shown, folded: found.slice(shown.length) };
}
