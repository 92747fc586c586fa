/** What a run uses, asked for anew as often as it is looked at, while the job runs and somebody sees it. */
import { queryOptions, useQuery } from '@tanstack/react-query';
import { api, ask } from '~/api/client';
import { grown, type Usage } from './usage';

const LEAST_MS = 2_000;

const usageQuery = (jobId: string) =>
  queryOptions({
    queryKey: ['job-usage', jobId],
    queryFn: async ({ signal, client }): Promise<Usage> => {
      const get = (after: number) =>
        ask(api.GET('/v1/jobs/{job_id}/usage', { params: { path: { job_id: jobId }, query: { after } }, signal }));
      const known = client.getQueryData<Usage>(['job-usage', jobId]);
      const last = known?.at.at(-1);
      if (known === undefined || last === undefined) return get(0);
      return grown(known, await get(last)) ?? get(0);
    },
  });

export function useUsage(jobId: string, running: boolean) {
  return useQuery({
    ...usageQuery(jobId),
    staleTime: 0,
    refetchInterval: ({ state }) => running && Math.max(LEAST_MS, (state.data?.every ?? 0) * 1000),
  });
}
