/** What the page of one dataset asks for. Below ['datasets', …] things are asked for anew at each `dataset_…` event. */
import { queryOptions } from '@tanstack/react-query';
import { api, ask, type Schemas } from '~/api/client';

export type Report = Schemas['DatasetReport'];
export type Picture = Schemas['DatasetPicture'];
export type Code = Schemas['Code'];

export const datasetQuery = (id: string) =>
  queryOptions({
    queryKey: ['datasets', 'one', id],
    queryFn: ({ signal }) =>
      ask(api.GET('/v1/datasets/{dataset_id}', { params: { path: { dataset_id: id } }, signal })),
  });

export const reportQuery = (id: string) =>
  queryOptions({
    queryKey: ['datasets', 'report', id],
    queryFn: ({ signal }) =>
      ask(api.GET('/v1/datasets/{dataset_id}/check', { params: { path: { dataset_id: id } }, signal })),
  });

/** Newest first. Kept as lists of jobs are, so that they are live. */
export const jobsOnQuery = (id: string, offset: number) =>
  queryOptions({
    queryKey: ['jobs', 'dataset', id, offset],
    queryFn: ({ signal }) =>
      ask(api.GET('/v1/jobs', { params: { query: { dataset_id: id, offset, limit: JOBS_PAGE } }, signal })),
  });

export const JOBS_PAGE = 50;
export const CHUNK = 120;

export type Filters = { split?: string; label?: string; problem?: string; search?: string };

/** One chunk of the pictures that fit. `checkedAt`: of another check they are others. */
export const picturesQuery = (id: string, checkedAt: number | null, filters: Filters, chunk: number) =>
  queryOptions({
    queryKey: ['dataset-pictures', id, checkedAt, filters, chunk],
    queryFn: ({ signal }) =>
      ask(
        api.GET('/v1/datasets/{dataset_id}/pictures', {
          params: {
            path: { dataset_id: id },
            query: { ...filters, problem: filters.problem as Code | 'any', offset: chunk * CHUNK, limit: CHUNK },
          },
          signal,
        }),
      ),
    staleTime: Number.POSITIVE_INFINITY,
  });
