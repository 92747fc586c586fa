/** Asks before it stops several jobs, and names those that it really stops. */
import { useMutation } from '@tanstack/react-query';
import { useState } from 'react';
import { api, ask, type Job } from '~/api/client';
import { useWords } from '~/i18n/words';
import { Button } from '~/ui/Button';
import { Dialog } from '~/ui/Dialog';
import { StateMark, shownState } from '~/ui/StateMark';
import { Failure } from '~/ui/Told';
import { toast } from '~/ui/toast';
import { nameOf } from './Cells';
import { stoppable } from './selection';
import { jobsWords } from './words';

export default function CancelDialog({ jobs, onClose }: { jobs: Job[]; onClose: () => void }) {
  const words = useWords(jobsWords);
  // what is asked for stays as it was when the question was put: nothing appears under the finger
  const [stopped] = useState(() => stoppable(jobs));
  const stays = jobs.length - stopped.length;
  const cancel = useMutation({
    mutationFn: () => ask(api.POST('/v1/jobs/cancel', { body: { ids: stopped.map((job) => job.id) } })),
    onSuccess: ({ items }) => {
      const failed = items.filter((item) => !item.ok);
      const [first] = failed;
      if (items.length > failed.length) toast(words.cancelled(items.length - failed.length));
      if (first !== undefined) toast(words.notCancelled(failed.length, first.message), { bad: true });
      onClose();
    },
  });
  return (
    <Dialog
      open
      onClose={onClose}
      title={words.cancelTitle(stopped.length)}
      actions={
        <>
          <Button onClick={onClose}>{words.keep}</Button>
          <Button kind="danger" disabled={cancel.isPending} onClick={() => cancel.mutate()}>
            {words.doCancel(stopped.length)}
          </Button>
        </>
      }
    >
      <ul className="panel m-0 flex max-h-64 list-none flex-col gap-1 overflow-auto p-2">
        {stopped.map((job) => (
          <li key={job.id} className="flex items-center gap-2">
            <span className="flex w-28 shrink-0">
              <StateMark state={shownState(job)} />
            </span>
            <span className="min-w-0 truncate" title={nameOf(job)}>
              {nameOf(job)}
            </span>
          </li>
        ))}
      </ul>
      {stays > 0 && <p className="m-0 text-muted">{words.cancelSome(stays)}</p>}
      <p className="m-0 text-muted">{words.cancelKeeps}</p>
      {cancel.isError && <Failure error={cancel.error} />}
    </Dialog>
  );
}
