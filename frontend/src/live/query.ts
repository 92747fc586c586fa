/** An answer that live events are added to. */
import {
  type DefaultError,
  type QueryKey,
  type UseQueryOptions,
  useQuery,
  useQueryClient,
} from '@tanstack/react-query';
import { useEffect, useRef } from 'react';
import type { LiveEvent } from './events';
import { useLive } from './live';

/** `add` gets those that `wanted` wants, once there is an answer to add them to. What happens while the answer is on its
 * way may be in it or not: then it is asked for once more. */
export function useLiveQuery<Q, D, K extends QueryKey>(
  options: UseQueryOptions<Q, DefaultError, D, K>,
  wanted: (event: LiveEvent) => boolean,
  add: (events: LiveEvent[]) => void,
) {
  const client = useQueryClient();
  const missed = useRef(false);
  useLive((events) => {
    const mine = events.filter(wanted);
    if (mine.length === 0) return;
    if (client.getQueryData(options.queryKey) === undefined) missed.current = true;
    else add(mine);
  });
  const query = useQuery(options);
  const { isSuccess, refetch } = query;
  useEffect(() => {
    if (!isSuccess || !missed.current) return;
    missed.current = false;
    void refetch();
  }, [isSuccess, refetch]);
  return query;
}
