/** What stands in a row's cells, wide or folded. */

import { Link } from '@tanstack/react-router';
import type { Job } from '~/api/client';
import { secondsLeft } from '~/format/eta';
import { useFormat } from '~/format/format';
import { useNow } from '~/format/now';
import { useWords } from '~/i18n/words';
import { Progress } from '~/ui/Progress';
import { reasonWords } from '~/ui/reasonWords';
import { shownMetric } from './best';
import type { Best } from './chosen';
import { jobsWords } from './words';

export function nameOf(job: Pick<Job, 'name' | 'id'>): string {
  return job.name || job.id;
}

/** How far it is; of one that has failed, why and at which epoch. */
export function ProgressCell({ job, mayRetry }: { job: Job; mayRetry: boolean }) {
  const words = useWords(jobsWords);
  if (job.state === 'FAILED') return <Failed job={job} mayRetry={mayRetry} />;
  if (job.state === 'CANCELLED') return job.reason && <Reason job={job} className="text-muted" />;
  const epochs = job.epochs !== null && <span>{words.epochs(job.epoch ?? 0, job.epochs)}</span>;
  if (job.state !== 'RUNNING') return <span className="truncate text-muted">{job.epoch === null ? '' : epochs}</span>;
  return (
    <span className="block min-w-0">
      <Progress value={job.progress} label={words.progressOf(nameOf(job))} />
      <span className="mt-1 flex gap-2 text-small">
        <span className="whitespace-nowrap">{epochs}</span>
        {job.stuck ? <span className="truncate text-queued">{words.stuck}</span> : <Left job={job} />}
      </span>
    </span>
  );
}

function Left({ job }: { job: Job }) {
  const words = useWords(jobsWords);
  const format = useFormat();
  const seconds = secondsLeft(job, useNow());
  if (seconds === null) return null;
  // whole seconds: tenths of an estimate would only flicker
  return <span className="truncate text-muted">{words.left(format.duration(Math.max(10, Math.round(seconds))))}</span>;
}

function Failed({ job, mayRetry }: { job: Job; mayRetry: boolean }) {
  const words = useWords(jobsWords);
  return (
    <span className="block min-w-0 leading-4">
      <Reason job={job} className="text-failed" />
      <span className="flex gap-2 text-small">
        {job.epoch !== null && job.epoch > 0 && <span className="truncate text-muted">{words.atEpoch(job.epoch)}</span>}
        {mayRetry && (
          <Link
            to="/jobs/$jobId"
            params={{ jobId: job.id }}
            className="whitespace-nowrap text-accent"
            aria-label={words.retryOf(nameOf(job))}
          >
            {words.retry}
          </Link>
        )}
      </span>
    </span>
  );
}

function Reason({ job, className }: { job: Job; className: string }) {
  const reason = useWords(reasonWords)[job.reason ?? 'TrainerError'];
  return (
    <span className={`block truncate ${className}`} title={job.message || reason}>
      {reason}
    </span>
  );
}

export function MetricCell({ job, metric, best }: { job: Job; metric: string; best: Best }) {
  const format = useFormat();
  const shown = shownMetric(job, metric, best);
  if (shown === null) return <span className="text-muted">–</span>;
  return (
    <span className="block min-w-0 leading-4" title={shown.name}>
      <span className="block truncate font-mono">{format.metric(shown.value)}</span>
      {metric === '' && <span className="block truncate text-muted text-small">{shortName(shown.name)}</span>}
    </span>
  );
}

/** `metrics/mAP50(B)` is `mAP50(B)` where there is little room; the whole name is in the title. */
function shortName(name: string): string {
  return name.slice(name.lastIndexOf('/') + 1);
}
