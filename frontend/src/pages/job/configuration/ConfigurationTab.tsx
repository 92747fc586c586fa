/** What a run was made of: parameters, data, machine, code and what it found around it. */
import { useQuery, useQueryClient } from '@tanstack/react-query';
import type { Job } from '~/api/client';
import { surroundingsQuery } from '~/diff/code';
import { useLive } from '~/live/live';
import { Failure, Skeleton } from '~/ui/Told';
import { Code } from './Code';
import { Parameters } from './Parameters';
import { Run } from './Run';
import { SurroundingsOf } from './Surroundings';

/** Events that say more of what it runs with. */
const NEWS = new Set(['launched', 'environment']);

export function ConfigurationTab({ job }: { job: Job }) {
  const client = useQueryClient();
  const { data, error, refetch } = useQuery(surroundingsQuery(job.id));
  useLive((events) => {
    if (events.some((event) => event.job_id === job.id && NEWS.has(event.type)))
      void client.invalidateQueries({ queryKey: surroundingsQuery(job.id).queryKey });
  });
  return (
    <div className="flex flex-col gap-4 p-4">
      <div className="grid items-start gap-4 desk:grid-cols-2">
        <Parameters job={job} />
        <div className="flex min-w-0 flex-col gap-4">
          <Run job={job} surroundings={data} />
        </div>
      </div>
      <Code job={job} hash={job.code_hash ?? data?.code_hash} />
      {error !== null && <Failure error={error} onRetry={() => void refetch()} />}
      {data === undefined && error === null && <Skeleton className="h-40 w-full" />}
      {data !== undefined && <SurroundingsOf found={data} />}
    </div>
  );
}
