/** The curves of jobs, live: of one on its page, of several side by side. */
import { useQueries } from '@tanstack/react-query';
import { useEffect, useMemo, useReducer, useRef } from 'react';
import { api, ask } from '~/api/client';
import { useLive } from '~/live/live';
import { type Curve, Curves } from './curves';

const MOST = 100_000; // points of a curve, the newest

export type JobCurves = ReadonlyMap<string, Curve>;

/** `curves` by job; a new map whenever anything came. After a gap in the live stream all is asked for again. */
export function useCurves(jobIds: readonly string[]): {
  curves: ReadonlyMap<string, JobCurves>;
  error: unknown;
  pending: boolean;
  retry: () => void;
} {
  const stores = useRef(new Map<string, Curves>()).current;
  const of = (id: string) => stores.get(id) ?? (stores.set(id, new Curves()).get(id) as Curves);
  const [version, bump] = useReducer((n: number) => n + 1, 0);
  const frame = useRef(0);
  const soon = () => {
    if (frame.current === 0)
      frame.current = requestAnimationFrame(() => {
        frame.current = 0;
        bump();
      });
  };
  useEffect(
    () => () => {
      cancelAnimationFrame(frame.current);
      frame.current = 0;
    },
    [],
  );

  useLive((events) => {
    for (const id of jobIds) {
      const mine = events.filter((event) => event.job_id === id);
      if (mine.length > 0 && of(id).hear(mine)) soon();
    }
  });

  const answers = useQueries({
    queries: jobIds.map((id) => ({
      // invalidated with everything else after a gap; nobody else shares it: the curves themselves are in `stores`
      queryKey: ['curves', id],
      gcTime: 0,
      staleTime: 0,
      structuralSharing: false as const,
      queryFn: async ({ signal }: { signal: AbortSignal }) => {
        await of(id).load(() =>
          ask(
            api.GET('/v1/jobs/{job_id}/metrics', { params: { path: { job_id: id }, query: { limit: MOST } }, signal }),
          ).then((answer) => answer.curves),
        );
        soon();
        return true;
      },
    })),
  });

  const ids = jobIds.join(' ');
  // biome-ignore lint/correctness/useExhaustiveDependencies: `version` says that what `stores` holds has changed
  const shown = useMemo(
    () => new Map(ids.split(' ').map((id): [string, JobCurves] => [id, new Map(stores.get(id)?.curves)])),
    [version, ids, stores],
  );

  return {
    curves: shown,
    error: answers.find((answer) => answer.isError)?.error ?? null,
    pending: answers.some((answer) => answer.isPending),
    retry: () => {
      for (const answer of answers) if (answer.isError) void answer.refetch();
    },
  };
}
