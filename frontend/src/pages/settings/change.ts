/** A change that makes one list of answers out of date. */
import { type QueryKey, useMutation, useQueryClient } from '@tanstack/react-query';

export function useChange<V, R>(change: (values: V) => Promise<R>, outdates: QueryKey) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: change,
    onSuccess: () => client.invalidateQueries({ queryKey: outdates }),
  });
}
