/** A job's events: the newest first, older ones when asked for, and what happens meanwhile. */
import { queryOptions, useMutation, useQueryClient } from '@tanstack/react-query';
import { api, ask } from '~/api/client';
import { useLiveQuery } from '~/live/query';
import { EACH_EPOCH, type Event, merged, NEVER, wanted } from './line';

const FIRST = 200;
const PAGE = 1_000;
const MOST_PAGES = 20;

type Known = { items: Event[]; older: boolean };

const eventsQuery = (jobId: string, eachEpoch: boolean) =>
  queryOptions({
    queryKey: ['job-events', jobId, eachEpoch],
    queryFn: async ({ signal }): Promise<Known> => {
      const { items } = await ask(
        api.GET('/v1/jobs/{job_id}/events', {
          params: { path: { job_id: jobId }, query: { newest: true, limit: FIRST, without: without(eachEpoch) } },
          signal,
        }),
      );
      return { items, older: items.length === FIRST };
    },
  });

const without = (eachEpoch: boolean) => (eachEpoch ? NEVER : [...NEVER, ...EACH_EPOCH]);

/** From the very first on, up to what is known: the route has no way back. */
async function olderThan(jobId: string, eachEpoch: boolean, oldest: number): Promise<Event[]> {
  const found: Event[] = [];
  for (let page = 0, after = 0; page < MOST_PAGES; page++) {
    const query = { after, limit: PAGE, without: without(eachEpoch) };
    const { items } = await ask(api.GET('/v1/jobs/{job_id}/events', { params: { path: { job_id: jobId }, query } }));
    found.push(...items.filter((event) => event.id < oldest));
    const last = items.at(-1);
    if (last === undefined || last.id >= oldest) break;
    after = last.id;
  }
  return found;
}

export function useEvents(jobId: string, eachEpoch: boolean) {
  const client = useQueryClient();
  const options = eventsQuery(jobId, eachEpoch);
  const add = (more: readonly Event[], older?: boolean) =>
    client.setQueryData(options.queryKey, (known) => {
      if (known === undefined) return known;
      const items = merged(known.items, more);
      return items === known.items && older === undefined ? known : { items, older: older ?? known.older };
    });
  const query = useLiveQuery(options, (event) => wanted(event, jobId, eachEpoch), add);
  const older = useMutation({
    mutationFn: () => olderThan(jobId, eachEpoch, query.data?.items[0]?.id ?? 0),
    onSuccess: (found) => add(found, false),
  });
  return { query, older };
}
