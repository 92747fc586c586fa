/** What can be done with a job, as its state and the person's role allow. */
import { Link, useNavigate } from '@tanstack/react-router';
import { lazy, Suspense, useState } from 'react';
import type { Job } from '~/api/client';
import { useMay } from '~/api/session';
import { useWords } from '~/i18n/words';
import { Button, buttonLook } from '~/ui/Button';
import { copyText } from '~/ui/Copy';
import { Menu, MenuItem } from '~/ui/Menu';
import { ErrorText } from '~/ui/Told';
import { toast } from '~/ui/toast';
import { useStart } from '../start';
import { jobWords } from '../words';
import { type Action, actionsOf } from './possible';

const CancelDialog = lazy(() => import('./CancelDialog').then((it) => ({ default: it.CancelDialog })));
const ResumeDialog = lazy(() => import('./ResumeDialog').then((it) => ({ default: it.ResumeDialog })));

export function Actions({ job }: { job: Job }) {
  const words = useWords(jobWords);
  const navigate = useNavigate();
  const start = useStart(job.id);
  const [asking, setAsking] = useState<'cancel' | 'resume' | null>(null);
  const { shown, folded } = actionsOf(job, useMay()('member', job.project_id));

  const act: Record<Action, () => void> = {
    cancel: () => setAsking('cancel'),
    resume: () => setAsking('resume'),
    retry: () =>
      start.mutate({ kind: 'retry' }, { onError: (error) => toast(<ErrorText error={error} />, { bad: true }) }),
    clone: () => void navigate({ to: '/new', search: { from: job.id } }),
    tryIt: () => void navigate({ to: '/try', search: { job: job.id } }),
    copyId: () => void copyText(job.id),
  };

  return (
    <div className="flex flex-wrap items-center gap-2 wide:ml-auto">
      {shown.map((action) => (
        <ActionButton key={action} action={action} job={job} act={act[action]} busy={start.isPending} />
      ))}
      <Menu label={<span aria-hidden>⋯</span>} name={words.more}>
        {folded.map((action) => (
          <MenuItem key={action} onClick={act[action]}>
            {words[action]}
          </MenuItem>
        ))}
      </Menu>
      <Suspense>
        {asking === 'cancel' && <CancelDialog job={job} onClose={() => setAsking(null)} />}
        {asking === 'resume' && <ResumeDialog job={job} onClose={() => setAsking(null)} />}
      </Suspense>
    </div>
  );
}

/** Those that lead to another page are links: they open in a new tab as links do. */
function ActionButton(props: { action: Action; job: Job; act: () => void; busy: boolean }) {
  const words = useWords(jobWords);
  const { action, job } = props;
  if (action === 'clone')
    return (
      <Link to="/new" search={{ from: job.id }} className={buttonLook()}>
        {words.clone}
      </Link>
    );
  if (action === 'tryIt')
    return (
      <Link to="/try" search={{ job: job.id }} className={buttonLook()}>
        {words.tryIt}
      </Link>
    );
  return (
    <Button kind={action === 'cancel' ? 'danger' : 'plain'} disabled={props.busy} onClick={props.act}>
      {words[action]}
    </Button>
  );
}
