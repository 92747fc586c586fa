/** Asks before a dataset is deleted. */
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { api, ask, type Dataset } from '~/api/client';
import { useFormat } from '~/format/format';
import { useWords } from '~/i18n/words';
import { Button } from '~/ui/Button';
import { Dialog } from '~/ui/Dialog';
import { Failure } from '~/ui/Told';
import { toast } from '~/ui/toast';
import { datasetWords } from './words';

export default function DeleteDialog({ dataset, onClose }: { dataset: Dataset; onClose: () => void }) {
  const words = useWords(datasetWords);
  const format = useFormat();
  const client = useQueryClient();
  const navigate = useNavigate();
  const task = useMutation({
    mutationFn: () => ask(api.DELETE('/v1/datasets/{dataset_id}', { params: { path: { dataset_id: dataset.id } } })),
    onSuccess: async () => {
      toast(words.removed(dataset.name));
      await navigate({ to: '/datasets' });
      client.removeQueries({ queryKey: ['datasets', 'one', dataset.id] });
      client.removeQueries({ queryKey: ['datasets', 'report', dataset.id] });
      await client.invalidateQueries({ queryKey: ['datasets'] });
    },
  });
  return (
    <Dialog
      open
      onClose={onClose}
      title={words.removeTitle(dataset.name)}
      actions={
        <>
          <Button onClick={onClose}>{words.keep}</Button>
          <Button kind="danger" disabled={task.isPending} onClick={() => task.mutate()}>
            {words.remove}
          </Button>
        </>
      }
    >
      <p className="m-0">{words.removeText(format.count(dataset.jobs))}</p>
      {task.isError && <Failure error={task.error} />}
    </Dialog>
  );
}
