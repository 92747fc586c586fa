/** What the page asks the backend for, each under one key, so that everyone who shows a thing shares one answer. */
import { QueryClient, queryOptions } from '@tanstack/react-query';
import { ApiError, api, ask } from './client';

export const queryClient = new QueryClient({
  defaultOptions: {
    queries: {
      networkMode: 'always', // a laptop without a network still reaches the backend beside it
      staleTime: 30_000, // live events keep things fresh; this is for what has none
      refetchOnWindowFocus: false,
      retry: (tries, error) => error instanceof ApiError && error.passing && tries < 3,
      retryDelay: (tries) => Math.min(500 * 2 ** tries, 4_000),
    },
    mutations: { networkMode: 'always', retry: false },
  },
});

export const jobQuery = (id: string) =>
  queryOptions({
    queryKey: ['job', id],
    queryFn: ({ signal }) => ask(api.GET('/v1/jobs/{job_id}', { params: { path: { job_id: id } }, signal })),
  });

export const trainersQuery = queryOptions({
  queryKey: ['trainers'],
  queryFn: ({ signal }) => ask(api.GET('/v1/trainers', { signal })),
});

export const datasetsQuery = queryOptions({
  queryKey: ['datasets'],
  queryFn: ({ signal }) => ask(api.GET('/v1/datasets', { signal })),
});

export const statusQuery = queryOptions({
  queryKey: ['status'],
  queryFn: ({ signal }) => ask(api.GET('/v1/status', { signal })),
});

export const checkpointsQuery = (id: string) =>
  queryOptions({
    queryKey: ['checkpoints', id],
    queryFn: ({ signal }) =>
      ask(api.GET('/v1/jobs/{job_id}/checkpoints', { params: { path: { job_id: id } }, signal })),
  });
