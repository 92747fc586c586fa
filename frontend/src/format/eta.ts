/** How long a job may still take, judged by how long it took so far. */
import type { Job } from '~/api/client';

const ENOUGH = 0.001; // of the way; before that it is a guess

/** Seconds, or null where nothing can be said. */
export function secondsLeft(job: Pick<Job, 'state' | 'started_at' | 'progress'>, now: number): number | null {
  const { state, started_at: from, progress } = job;
  if (state !== 'RUNNING' || from === null || progress === null || progress < ENOUGH || progress >= 1) return null;
  return Math.max(0, ((now - from) * (1 - progress)) / progress);
}
