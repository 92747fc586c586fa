/** Datasets that need no upload, made on the spot: for those who come with nothing. */
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { api, ask } from '~/api/client';
import { datasetsQuery } from '~/api/queries';
import { useWords } from '~/i18n/words';
import { useLive } from '~/live/live';
import { Button } from '~/ui/Button';
import { ErrorText } from '~/ui/Told';
import { withDataset } from './draft';
import type { Form } from './useNewJob';
import { newJobWords } from './words';

export function Samples({ form }: { form: Form }) {
  const words = useWords(newJobWords);
  const client = useQueryClient();
  const samples = useQuery({ queryKey: ['samples'], queryFn: ({ signal }) => ask(api.GET('/v1/samples', { signal })) });
  const [said, setSaid] = useState('');
  const projectId = form.draft.projectId;
  const load = useMutation({
    mutationFn: (id: string) =>
      ask(
        api.POST('/v1/samples/{sample_id}', { params: { path: { sample_id: id }, query: { project_id: projectId } } }),
      ),
    onMutate: () => setSaid(''),
    onSuccess: async (dataset) => {
      await client.invalidateQueries({ queryKey: datasetsQuery.queryKey });
      form.become((now) => withDataset(form.offered, now, dataset));
    },
  });
  useLive((events) => {
    const mine = events.findLast((one) => one.type === 'preparing' && one.data.dataset_id === load.variables);
    if (mine !== undefined && load.isPending) setSaid(mine.message);
  });

  const here = new Set(form.offered.datasets.map((one) => one.id));
  const missing = (samples.data?.items ?? []).filter((one) => !here.has(one.id));
  if (missing.length === 0) return null;
  return (
    <div className="flex basis-full flex-col items-start gap-2">
      <p className="m-0 text-muted">{words.samplesTitle}</p>
      <div className="flex flex-wrap gap-2">
        {missing.map((one) => (
          <Button
            key={one.id}
            disabled={load.isPending}
            className="h-auto! whitespace-normal!"
            onClick={() => load.mutate(one.id)}
          >
            {words.loadSample(one.title)}
          </Button>
        ))}
      </div>
      <p role="status" className="m-0 text-muted">
        {load.isPending && (said || words.loadingSample)}
      </p>
      {load.isError && (
        <p role="alert" className="m-0 text-failed">
          <ErrorText error={load.error} />
        </p>
      )}
    </div>
  );
}
