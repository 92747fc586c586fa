import { useMutation, useQueryClient } from '@tanstack/react-query';
import { api, ask, type Job } from '~/api/client';
import { useWords } from '~/i18n/words';
import { patchJob } from '~/live/jobs';
import { Button } from '~/ui/Button';
import { Dialog } from '~/ui/Dialog';
import { Failure } from '~/ui/Told';
import { jobWords } from '../words';

export function CancelDialog({ job, onClose }: { job: Job; onClose: () => void }) {
  const words = useWords(jobWords);
  const client = useQueryClient();
  const cancel = useMutation({
    mutationFn: () => ask(api.POST('/v1/jobs/{job_id}/cancel', { params: { path: { job_id: job.id } } })),
    onSuccess: (answer) => {
      patchJob(client, job.id, (known) => ({ ...known, ...answer }));
      onClose();
    },
  });
  return (
    <Dialog
      open
      onClose={onClose}
      title={words.cancelTitle}
      actions={
        <>
          <Button onClick={onClose}>{words.keep}</Button>
          <Button kind="danger" disabled={cancel.isPending} onClick={() => cancel.mutate()}>
            {words.cancelIt}
          </Button>
        </>
      }
    >
      <p className="m-0">{job.name}</p>
      <p className="m-0 text-muted">{words.cancelWhy}</p>
      {cancel.isError && <Failure error={cancel.error} />}
    </Dialog>
  );
}
