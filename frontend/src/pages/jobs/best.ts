/** The one number that a list shows of a job. */
import type { Job } from '~/api/client';
import type { Told } from '~/format/format';
import type { Best } from './chosen';

export type Shown = { name: string; value: Told; step: number | null };

/** `metric` empty: the one its trainer calls best. Null where the job has none. */
export function shownMetric(job: Job, metric: string, best: Best): Shown | null {
  const name = metric || job.best_metric;
  if (name === null || name === undefined) return null;
  const found = job.metrics?.[name];
  if (found === undefined) return null;
  const which = best === 'best' ? bestOf(job, name) : best;
  return { name, value: found[which], step: found[`${which}_step`] };
}

/** Which value is the best: as the trainer says for its own metric; of others the last is the only safe answer. */
export function bestOf(job: Job, name: string): Exclude<Best, 'best'> {
  return name === job.best_metric && job.best_mode ? job.best_mode : 'last';
}
