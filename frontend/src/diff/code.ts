/** The code that jobs ran. What a hash names never changes, so it is asked for once. */
import { queryOptions } from '@tanstack/react-query';
import { ApiError, api, ask, type Job, type Schemas } from '~/api/client';

/** `job`: by whose right it may be seen. */
export type CodeOf = { hash: string; job: string };

const askSurroundings = (job: string, signal: AbortSignal) =>
  ask(api.GET('/v1/jobs/{job_id}/surroundings', { params: { path: { job_id: job } }, signal }));

export const surroundingsQuery = (job: string) =>
  queryOptions({ queryKey: ['surroundings', job], queryFn: ({ signal }) => askSurroundings(job, signal) });

/** Which code a job ran, null where none was kept. */
export const codeOfQuery = (job: Pick<Job, 'id' | 'code_hash'>) =>
  queryOptions({
    queryKey: ['code-of', job.id, job.code_hash],
    // not by way of the query above: when that is cancelled, this one would take it for its own end, and wait for ever
    queryFn: async ({ signal }): Promise<CodeOf | null> => {
      const hash = job.code_hash ?? (await askSurroundings(job.id, signal)).code_hash;
      return hash === null ? null : { hash, job: job.id };
    },
  });

/** null: its hash is known, but it was not kept, or not for the one who asks. */
export const codeQuery = ({ hash, job }: CodeOf) =>
  queryOptions({
    queryKey: ['code', hash],
    staleTime: Number.POSITIVE_INFINITY,
    queryFn: async ({ signal }): Promise<Schemas['CodeOut'] | null> => {
      try {
        return await ask(api.GET('/v1/code/{hash}', { params: { path: { hash }, query: { job_id: job } }, signal }));
      } catch (error) {
        if (error instanceof ApiError && error.status === 404) return null;
        throw error;
      }
    },
  });

/** null: no text, or too much of it. */
export const codeFileQuery = ({ hash, job }: CodeOf, path: string) =>
  queryOptions({
    queryKey: ['code', hash, path],
    staleTime: Number.POSITIVE_INFINITY,
    queryFn: async ({ signal }): Promise<string | null> => {
      const params = { path: { hash }, query: { path, job_id: job } };
      try {
        return await ask(api.GET('/v1/code/{hash}/file', { params, parseAs: 'text', signal }));
      } catch (error) {
        if (error instanceof ApiError && [400, 413, 422].includes(error.status)) return null;
        throw error;
      }
    },
  });
