import { queryOptions } from '@tanstack/react-query';
import { api, ask, type Job } from '~/api/client';

/** Why the job is as it is; anew when that changes. */
export const explanationQuery = ({ id, state, attempt, message }: Job) =>
  queryOptions({
    queryKey: ['explanation', id, state, attempt, message],
    queryFn: ({ signal }) =>
      ask(api.GET('/v1/jobs/{job_id}/explanation', { params: { path: { job_id: id } }, signal })),
  });
