/** A run at its place on this page. */
import type { Job } from '~/api/client';

/** `colour`: the n-th of the runs' colours. Without a job: it is not here, or on its way. */
export type Place = { id: string; colour: number; job: Job | undefined };
/** One that is here. */
export type Here = Place & { job: Job };

export function isHere(place: Place): place is Here {
  return place.job !== undefined;
}

export function nameOf(place: Place): string {
  return place.job?.name || place.id;
}
