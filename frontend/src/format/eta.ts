/** How long a job may still take, judged by how long it took so far. */
import type { Job } from '~/api/client';

const ENOUGH = 0.001; // of the way; before that it is a guess

/** Seconds, or null where nothing can be said: also of one that went on from a checkpoint, whose progress began elsewhere. */
export function secondsLeft(
  job: Pick<Job, 'state' | 'started_at' | 'progress' | 'resume_from'>,
  now: number,
): number | null {
  const { state, started_at: from, progress } = job;
  if (job.resume_from !== null) return null;
  if (state !== 'RUNNING' || from === null || progress === null || progress < ENOUGH || progress >= 1) return null;
  return Math.max(0, ((now - from) * (1 - progress)) / progress);
}
