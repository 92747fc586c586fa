/** Why a job failed, the lines that show it, and what to do about it as a button. */
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import type { Job, Schemas } from '~/api/client';
import { useMay } from '~/api/session';
import { useLanguage } from '~/i18n/language';
import { useWords } from '~/i18n/words';
import { Button, buttonLook } from '~/ui/Button';
import { reasonWords } from '~/ui/reasonWords';
import { Failure } from '~/ui/Told';
import { useStart } from '../start';
import { explanationQuery } from './query';
import { settingsOf, tell, wantsWords } from './told';
import { bannerWords } from './words';

export function Banner({ job }: { job: Job }) {
  return wantsWords(job) ? <Explained job={job} /> : null;
}

function Explained({ job }: { job: Job }) {
  const words = useWords(bannerWords);
  const reasons = useWords(reasonWords);
  const language = useLanguage();
  const failed = job.state === 'FAILED';
  const { data: explained } = useQuery(explanationQuery(job));
  const told = explained && tell(explained, job, language);
  const title = told?.title ?? (job.reason === null ? words.failed : reasons[job.reason]);
  return (
    <section
      aria-label={title}
      className={`mx-4 mb-2 flex flex-col gap-2 rounded-field border p-3 ${failed ? 'border-failed bg-failed-soft' : 'border-queued bg-warning-soft'}`}
    >
      <h2 className={`m-0 text-body ${failed ? 'text-failed' : 'text-queued'}`}>
        <span aria-hidden>{failed ? '✕ ' : '⚠ '}</span>
        {failed ? '' : `${words.warning} `}
        {title}
      </h2>
      <p className="m-0">
        {told?.what ?? job.message} {told?.advice}
        {told !== undefined && told.original !== '' && (
          <span lang="en" className="block text-muted text-small">
            {told.original}
          </span>
        )}
      </p>
      {explained !== undefined && explained.evidence.length > 0 && <Evidence lines={explained.evidence} />}
      <div className="flex flex-wrap items-center gap-2">
        {explained?.remedy && <RemedyButton job={job} remedy={explained.remedy} />}
        <Link
          to="/jobs/$jobId"
          params={{ jobId: job.id }}
          search={{ tab: 'log' }}
          resetScroll={false}
          className={buttonLook()}
        >
          {words.fullLog} <span aria-hidden>↓</span>
        </Link>
      </div>
    </section>
  );
}

function Evidence({ lines }: { lines: string[] }) {
  const words = useWords(bannerWords);
  return (
    <section
      aria-label={words.evidence}
      // biome-ignore lint/a11y/noNoninteractiveTabindex: it may scroll, and has to by keyboard
      tabIndex={0}
      className="max-h-40 overflow-auto whitespace-pre-wrap border-line-strong border-l-2 pl-3 font-mono text-small"
    >
      {lines.join('\n')}
    </section>
  );
}

function RemedyButton({ job, remedy }: { job: Job; remedy: Schemas['RemedyOut'] }) {
  const words = useWords(bannerWords);
  const may = useMay()('member', job.project_id);
  const start = useStart(job.id);
  if (!may) return null;
  const resumes = remedy.kind === 'resume';
  return (
    <>
      <Button
        kind="primary"
        disabled={start.isPending}
        onClick={() => start.mutate(resumes ? { kind: 'resume' } : { kind: 'retry', params: remedy.params })}
      >
        {resumes ? words.resume : remedy.kind === 'retry' ? words.retry : words.retryWith(settingsOf(remedy.params))}
      </Button>
      {start.isError && (
        <div className="w-full">
          <Failure error={start.error} />
        </div>
      )}
    </>
  );
}
