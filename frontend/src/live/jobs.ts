/** Keeps what is shown of jobs up to date: heartbeats are written into the answers that are here already, anything
 * that changes more than progress is asked for anew, one request a job and moment. */
import { type InfiniteData, type QueryClient, useQueryClient } from '@tanstack/react-query';
import { useEffect, useEffectEvent, useRef } from 'react';
import { ApiError, type Job, type Schemas } from '~/api/client';
import { jobQuery } from '~/api/queries';
import type { LiveEvent } from './events';
import { onGap, useConnection, useLive } from './live';

const TOGETHER_MS = 100;
/** Events that change nothing of what lists and headers show. */
const QUIET = new Set(['sample', 'validation', 'environment', 'preparing', 'trainer.heartbeat']);

export type JobPage = Schemas['JobPage'];

/** What a heartbeat says of a job, put into what is known of it. */
export function withHeartbeat(job: Job, event: LiveEvent): Job {
  const { phase, epoch, epochs, progress, metrics } = event.data as Partial<Job> & { metrics?: Record<string, number> };
  return {
    ...job,
    phase: phase ?? job.phase,
    epoch: epoch ?? job.epoch,
    epochs: epochs ?? job.epochs,
    progress: progress ?? job.progress,
    metrics: metrics === undefined ? job.metrics : withMetrics(job.metrics ?? {}, metrics, epoch ?? job.epoch),
  };
}

type Summaries = NonNullable<Job['metrics']>;

function withMetrics(
  known: Summaries,
  told: Record<string, Schemas['Summary']['last']>,
  step: number | null,
): Summaries {
  const merged = { ...known };
  for (const [name, last] of Object.entries(told)) {
    const before = merged[name];
    const value = Number(last);
    merged[name] = {
      last,
      last_step: step,
      ...(before === undefined || value < Number(before.min) || Number.isNaN(Number(before.min))
        ? { min: last, min_step: step }
        : { min: before.min, min_step: before.min_step }),
      ...(before === undefined || value > Number(before.max) || Number.isNaN(Number(before.max))
        ? { max: last, max_step: step }
        : { max: before.max, max_step: before.max_step }),
    };
  }
  return merged;
}

/** Change a job wherever an answer holds it. Lists are kept under ['jobs', …] as pages. */
export function patchJob(client: QueryClient, id: string, change: (job: Job) => Job): boolean {
  let found = false;
  const apply = (job: Job) => {
    if (job.id !== id) return job;
    found = true;
    return change(job);
  };
  client.setQueryData(jobQuery(id).queryKey, (job: Job | undefined) => job && apply(job));
  // an answer that does not hold it stays the same one: nobody who shows it has to look again
  const within = (page: JobPage) =>
    page.items.some((job) => job.id === id) ? { ...page, items: page.items.map(apply) } : page;
  client.setQueriesData<InfiniteData<JobPage> | JobPage>({ queryKey: ['jobs'] }, (data) => {
    if (data === undefined) return data;
    if ('pages' in data) return { ...data, pages: data.pages.map(within) };
    return 'items' in data ? within(data) : data;
  });
  return found;
}

/** Mounted once, in the shell. */
export function useLiveJobs(): void {
  const client = useQueryClient();
  const changed = useRef(new Set<string>());
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);

  const refresh = async () => {
    timer.current = undefined;
    const ids = [...changed.current];
    changed.current.clear();
    await Promise.all(
      ids.map(async (id) => {
        // its event won't come again: it is asked for when the backend is back
        if (!(await refreshJob(client, id))) changed.current.add(id);
      }),
    );
  };
  const soon = () => {
    if (changed.current.size > 0) timer.current ??= setTimeout(() => void refresh(), TOGETHER_MS);
  };

  useLive((events) => {
    for (const event of events) {
      if (event.type.startsWith('dataset_')) void client.invalidateQueries({ queryKey: ['datasets'] });
      if (event.job_id === null || QUIET.has(event.type)) continue;
      if (event.type === 'heartbeat') patchJob(client, event.job_id, (job) => withHeartbeat(job, event));
      else changed.current.add(event.job_id);
    }
    soon();
  });

  useEffect(() => onGap(() => void client.invalidateQueries()), [client]);

  // without a gap nothing is asked for anew but what could not be answered meanwhile
  const { state } = useConnection();
  const back = useEffectEvent(() => {
    void client.refetchQueries({ type: 'active', predicate: ({ state }) => isPassing(state.error) });
    soon();
  });
  useEffect(() => {
    if (state === 'live') back();
  }, [state]);
}

function isPassing(error: unknown): boolean {
  return error instanceof ApiError && error.passing;
}

/** False where the backend did not answer. */
async function refreshJob(client: QueryClient, id: string): Promise<boolean> {
  try {
    const job = await client.fetchQuery({ ...jobQuery(id), staleTime: 0 });
    // one that no list holds yet may belong at the top of one
    if (!patchJob(client, id, () => job) || !isListed(client, id))
      await client.invalidateQueries({ queryKey: ['jobs'] });
    return true;
  } catch (error) {
    return !isPassing(error); // gone, or not for us any more
  }
}

function isListed(client: QueryClient, id: string): boolean {
  return client
    .getQueriesData<InfiniteData<JobPage> | JobPage>({ queryKey: ['jobs'] })
    .some(([, data]) => data !== undefined && pagesOf(data).some((page) => page.items?.some((job) => job.id === id)));
}

function pagesOf(data: InfiniteData<JobPage> | JobPage): JobPage[] {
  return 'pages' in data ? data.pages : [data];
}
