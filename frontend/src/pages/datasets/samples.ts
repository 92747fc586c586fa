/** Samples being made: the first of a trainer may take minutes, as its environment is made before. */
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { api, ask, type Dataset, type Schemas } from '~/api/client';
import { useLive } from '~/live/live';

export type Sample = Schemas['SampleOut'];

export function useSampleList(enabled: boolean): Sample[] {
  const { data } = useQuery({
    queryKey: ['samples'],
    queryFn: ({ signal }) => ask(api.GET('/v1/samples', { signal })),
    staleTime: Number.POSITIVE_INFINITY,
    enabled,
  });
  return data?.items ?? [];
}

export type Making = { sample: Sample; said: string; error: unknown };

/** `make` begins one; `making` is the one under way or gone wrong, with what its trainer last said. */
export function useMakeSample(project: string, made: (dataset: Dataset, sample: Sample) => void) {
  const client = useQueryClient();
  const [said, setSaid] = useState('');
  const task = useMutation({
    mutationFn: (sample: Sample) =>
      ask(
        api.POST('/v1/samples/{sample_id}', {
          params: { path: { sample_id: sample.id }, query: { project_id: project } },
        }),
      ),
    onMutate: () => setSaid(''),
    onSuccess: (dataset, sample) => {
      void client.invalidateQueries({ queryKey: ['datasets'] });
      made(dataset, sample);
    },
  });
  useLive((events) => {
    if (!task.isPending) return;
    const last = events.findLast((event) => event.type === 'preparing' && event.job_id === null);
    if (last !== undefined) setSaid(last.message);
  });
  const shown = (task.isPending || task.isError) && task.variables !== undefined;
  const making: Making | null = shown ? { sample: task.variables, said, error: task.error } : null;
  return { make: task.mutate, making, dismiss: task.reset };
}
