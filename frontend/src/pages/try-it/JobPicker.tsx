/** Which job's model is tried: those with a checkpoint, succeeded ones first. */
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import { api, ask, type Job } from '~/api/client';
import { useMay } from '~/api/session';
import { useWords } from '~/i18n/words';
import { StateIcon, shownState } from '~/ui/StateMark';
import { Ago } from '~/ui/Time';
import { Failure, Skeleton } from '~/ui/Told';
import { triable } from './findings';
import { tryWords } from './words';

const PAUSE_MS = 200;

/** Jobs that may have a checkpoint, by name; the first page of each kind is plenty to choose from. */
export function useTriable(search: string) {
  return useQuery({
    queryKey: ['triable', search],
    queryFn: async ({ signal }) => {
      const named = (state: string) =>
        ask(api.GET('/v1/jobs', { params: { query: { state, search: search || undefined, limit: 50 } }, signal }));
      const [ended, others] = await Promise.all([named('SUCCEEDED'), named('RUNNING,FAILED,CANCELLED')]);
      return triable([...ended.items, ...others.items]);
    },
    placeholderData: keepPreviousData,
  });
}

export function JobPicker(props: {
  chosen: string;
  /** Whether one can type at once. */
  atOnce: boolean;
  onChoose: (id: string) => void;
  onClose: (() => void) | undefined;
}) {
  const words = useWords(tryWords);
  const may = useMay();
  const [text, setText] = useState('');
  const search = usePaused(text.trim());
  const jobs = useTriable(search);
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: Esc closes it, wherever inside one is
    <div className="flex flex-col gap-2" onKeyDown={(event) => event.key === 'Escape' && props.onClose?.()}>
      <span className="font-strong">{words.job}</span>
      <input
        type="search"
        // biome-ignore lint/a11y/noAutofocus: somebody asked for this list just now
        autoFocus={props.atOnce}
        aria-label={words.searchJobs}
        placeholder={words.searchJobs}
        className="field"
        value={text}
        onChange={(event) => setText(event.target.value)}
      />
      {jobs.isPending && <Skeleton className="h-40 w-full" />}
      {jobs.isError && <Failure error={jobs.error} onRetry={() => void jobs.refetch()} />}
      {jobs.data?.length === 0 && <p className="m-0 text-muted">{words.noneFound}</p>}
      <ul aria-label={words.job} className="-m-1 flex max-h-96 list-none flex-col gap-1.5 overflow-auto p-1">
        {jobs.data?.map((job) => {
          const allowed = may('member', job.project_id);
          return (
            <li key={job.id}>
              <button
                type="button"
                disabled={!allowed}
                aria-current={job.id === props.chosen ? 'true' : undefined}
                onClick={() => props.onChoose(job.id)}
                className="block w-full rounded-field border border-line bg-bg p-2.5 text-left hover:border-line-strong disabled:cursor-not-allowed disabled:bg-raised disabled:text-muted aria-[current]:border-accent aria-[current]:bg-accent-soft"
              >
                <JobLine job={job} />
                {!allowed && <span className="text-small">{words.needsMember}</span>}
              </button>
            </li>
          );
        })}
      </ul>
    </div>
  );
}

/** What a job is, in two lines. */
export function JobLine({ job }: { job: Job }) {
  return (
    <>
      <span className="flex items-start gap-1.5">
        <span className="flex h-5 items-center">
          <StateIcon state={shownState(job)} />
        </span>
        <span className="min-w-0 font-strong">{job.name || job.id}</span>
      </span>
      <span className="block text-muted text-small">
        {[job.framework, job.model, job.dataset_id].filter(Boolean).join(' · ')} ·{' '}
        <Ago at={job.finished_at ?? job.created_at} />
      </span>
    </>
  );
}

/** The text when typing has paused. */
function usePaused(text: string): string {
  const [paused, setPaused] = useState(text);
  useEffect(() => {
    const timer = setTimeout(() => setPaused(text), PAUSE_MS);
    return () => clearTimeout(timer);
  }, [text]);
  return paused;
}
