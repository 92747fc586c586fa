/** What a click on a column's head means. */
import type { Job } from '~/api/client';
import { bestOf } from './best';
import type { Chosen, Sort } from './chosen';

/** Sorting by a metric needs one that is the same for all rows: without a choice, the first row's. The better end of it
 * comes first. */
export function sortedBy(chosen: Chosen, sort: Sort, descending: boolean, first: Job | undefined): Chosen {
  if (sort !== 'metric') return { ...chosen, sort, descending };
  const metric = chosen.metric || (first?.best_metric ?? '');
  if (metric === '') return chosen;
  const best = chosen.best === 'best' && first !== undefined ? bestOf(first, metric) : chosen.best;
  const fresh = chosen.sort !== 'metric';
  return { ...chosen, sort, metric, best, descending: fresh ? best !== 'min' : descending };
}
