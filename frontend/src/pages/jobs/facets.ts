/** What there is to filter by. */
import { queryOptions } from '@tanstack/react-query';
import { api, ask } from '~/api/client';

export const FACETS = 'job-facets';

export const facetsQuery = (project: string) =>
  queryOptions({
    queryKey: [FACETS, project],
    queryFn: ({ signal }) =>
      ask(api.GET('/v1/jobs/facets', { params: { query: { project_id: project || undefined } }, signal })),
  });
