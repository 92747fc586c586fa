/** Where the job is: its state with the reason, how far it has come, how long it will take or took. */
import { useQuery } from '@tanstack/react-query';
import type { Job } from '~/api/client';
import { secondsLeft } from '~/format/eta';
import { useFormat } from '~/format/format';
import { useNow } from '~/format/now';
import { useLanguage } from '~/i18n/language';
import { useWords } from '~/i18n/words';
import { Progress } from '~/ui/Progress';
import { reasonWords } from '~/ui/reasonWords';
import { StateMark, shownState } from '~/ui/StateMark';
import { explanationQuery } from '../banner/query';
import { tell } from '../banner/told';
import { jobWords } from '../words';

export function Standing({ job }: { job: Job }) {
  const words = useWords(jobWords);
  const reasons = useWords(reasonWords);
  const waits = job.state === 'PENDING' || job.state === 'QUEUED';
  return (
    <>
      <p className="m-0 flex flex-wrap items-center gap-x-3 gap-y-1">
        <StateMark state={shownState(job)} />
        {job.reason !== null && job.reason !== 'Completed' && <span>{reasons[job.reason]}</span>}
        {job.stuck && (
          <span title={words.stuckWhy} className="rounded-field bg-warning-soft px-1.5 font-strong text-queued">
            <span aria-hidden>⚠ </span>
            {words.stuck}
            <span className="sr-only">{words.stuckWhy}</span>
          </span>
        )}
        <Epochs job={job} />
        <Times job={job} />
      </p>
      {waits && <Waiting job={job} />}
      {job.state === 'RUNNING' && (
        <div className="max-w-96">
          <Progress value={job.progress} label={words.progress} />
        </div>
      )}
    </>
  );
}

function Epochs({ job }: { job: Job }) {
  const words = useWords(jobWords);
  const { count } = useFormat();
  if (job.epoch === null) return job.state === 'RUNNING' && job.phase ? <span>{job.phase}</span> : null;
  return (
    <span>
      {job.epochs === null ? words.epoch(count(job.epoch)) : words.epochOf(count(job.epoch), count(job.epochs))}
    </span>
  );
}

function Times({ job }: { job: Job }) {
  const words = useWords(jobWords);
  const { duration } = useFormat();
  const now = useNow();
  if (job.state === 'RUNNING') {
    const left = secondsLeft(job, now);
    return left === null ? null : <span className="text-muted">{words.left(duration(left))}</span>;
  }
  if (job.started_at === null || job.finished_at === null) return null;
  return <span className="text-muted">{words.after(duration(job.finished_at - job.started_at))}</span>;
}

/** Why it does not run yet. The backend's own words, which name what it waits for, are English. */
function Waiting({ job }: { job: Job }) {
  const words = useWords(jobWords);
  const language = useLanguage();
  const { data: explained } = useQuery(explanationQuery(job));
  const told = explained && tell(explained, job, language);
  const message = job.message !== '' && job.message !== told?.what ? job.message : '';
  return (
    <p className="m-0 text-muted">
      {told?.what ?? words.waiting} {words.waitsFor}
      {language === 'ko' && message !== '' && (
        <span lang="en" className="block text-small">
          {message}
        </span>
      )}
    </p>
  );
}
