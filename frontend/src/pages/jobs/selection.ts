/** What is selected, by id, with what is known of each: rows come and go, the selection stays. */
import type { Job } from '~/api/client';

export type Selection = ReadonlyMap<string, Job>;

export const NONE: Selection = new Map();

export function withToggled(selection: Selection, job: Job): Selection {
  const changed = new Map(selection);
  if (!changed.delete(job.id)) changed.set(job.id, job);
  return changed;
}

export function withAll(selection: Selection, jobs: readonly Job[]): Selection {
  const changed = new Map(selection);
  for (const job of jobs) changed.set(job.id, job);
  return changed;
}

export function without(selection: Selection, jobs: readonly Job[]): Selection {
  const changed = new Map(selection);
  for (const job of jobs) changed.delete(job.id);
  return changed;
}

export function isOver(job: Pick<Job, 'state'>): boolean {
  return job.state === 'SUCCEEDED' || job.state === 'FAILED' || job.state === 'CANCELLED';
}

/** Those that cancelling would stop: neither over nor asked already. */
export function stoppable(jobs: Iterable<Job>): Job[] {
  return [...jobs].filter((job) => !isOver(job) && !job.cancelling);
}

export const FEWEST_COMPARED = 2;
export const MOST_COMPARED = 10;
export const MOST_SELECTED = 200; // as many as can be cancelled at once

export function comparable(selection: Selection): boolean {
  return selection.size >= FEWEST_COMPARED && selection.size <= MOST_COMPARED;
}
