/** Show pictures of one's own to a job's checkpoint (`?job=`, `?checkpoint=`). */
import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import { useState } from 'react';
import { ApiError, type Job } from '~/api/client';
import { jobQuery } from '~/api/queries';
import { useMay } from '~/api/session';
import type { Search } from '~/app/search';
import { useWords } from '~/i18n/words';
import { useLive } from '~/live/live';
import { Button, buttonLook } from '~/ui/Button';
import { Page } from '~/ui/Page';
import { Empty, ErrorText, Failure, Skeleton } from '~/ui/Told';
import { CheckpointChoice, Confidence, JobChoice } from './Controls';
import { ChooseFiles, DropArea } from './Drop';
import { USUAL } from './findings';
import { useTriable } from './JobPicker';
import { Shown } from './Shown';
import { usePictures } from './usePictures';
import { usePredictions } from './usePredictions';
import { tryWords } from './words';

export function TryPage() {
  const words = useWords(tryWords);
  const may = useMay();
  return (
    <Page title={words.title}>
      {may('member') ? <Loaded /> : <Nothing title={words.viewer} why={words.viewerWhy} to="/" label={words.toJobs} />}
    </Page>
  );
}

function Nothing(props: { title: string; why: string; to: '/' | '/new'; label: string }) {
  return (
    <Empty
      title={props.title}
      action={
        <Link to={props.to} className={buttonLook('primary')}>
          {props.label}
        </Link>
      }
    >
      {props.why}
    </Empty>
  );
}

/** Without a job in the address: the newest that can be tried. */
function Loaded() {
  const words = useWords(tryWords);
  const search: Search = useSearch({ strict: false });
  const jobs = useTriable('');
  const may = useMay();
  const first = jobs.data?.find((one) => may('member', one.project_id));
  // only where there is none to choose from: a list that is looked at stays as it is
  useLive((events) => {
    if (jobs.data?.length === 0 && events.some((one) => one.type !== 'heartbeat')) void jobs.refetch();
  });
  const wanted = search.job ?? first?.id ?? '';
  const listed = jobs.data?.find((one) => one.id === wanted);
  const job = useQuery({ ...jobQuery(wanted), enabled: wanted !== '', placeholderData: listed });
  const failed = [jobs, job].find((one) => one.isError && one.data === undefined);
  if (search.job === undefined && jobs.isPending) return <Coming />;
  if (search.job === undefined && jobs.data?.length === 0)
    return <Nothing title={words.noJobs} why={words.noJobsWhy} to="/new" label={words.newJob} />;
  return (
    <div className="flex flex-1 flex-col">
      {failed && (
        <div className="p-4 pb-0">
          <Failure error={failed.error} onRetry={() => void failed.refetch()} />
        </div>
      )}
      <Bench job={job.data ?? null} isComing={wanted !== '' && job.isPending} checkpoint={search.checkpoint ?? ''} />
    </div>
  );
}

/** Stays while jobs and checkpoints change: so do the pictures. */
function Bench({ job, isComing, checkpoint }: { job: Job | null; isComing: boolean; checkpoint: string }) {
  const words = useWords(tryWords);
  const navigate = useNavigate();
  const [least, setLeast] = useState(USUAL);
  const { pictures, left, add, remove, clear } = usePictures(words.pasted);
  const predictions = usePredictions(job?.id ?? '', checkpoint, pictures);
  const go = (search: Search) => void navigate({ to: '/try', search, replace: true });
  return (
    <DropArea onFiles={add}>
      <div className="grid flex-1 grid-cols-[minmax(0,1fr)] content-start gap-4 p-4 wide:grid-cols-[16rem_minmax(0,1fr)]">
        <div className="flex min-w-0 flex-col gap-4">
          {isComing ? <Skeleton className="h-28 w-full" /> : <JobChoice job={job} onChoose={(id) => go({ job: id })} />}
          {job && (
            <CheckpointChoice
              jobId={job.id}
              chosen={checkpoint}
              onChoose={(kind) => go({ job: job.id, checkpoint: kind })}
            />
          )}
          {job?.task === 'detect' && <Confidence value={least} onChange={setLeast} />}
        </div>
        <section aria-label={words.results} className="flex min-w-0 flex-col gap-3">
          {pictures.length === 0 ? (
            <div className="flex min-h-72 flex-col items-center justify-center gap-3 rounded-field border border-line-strong border-dashed p-6 text-center">
              <p className="m-0 text-title">{words.drop}</p>
              <ChooseFiles kind="primary" label={words.choose} onFiles={add} />
              <p className="m-0 text-muted text-small">{words.limits}</p>
            </div>
          ) : (
            <div className="flex flex-wrap gap-2">
              <ChooseFiles kind="plain" label={words.more} onFiles={add} />
              <Button kind="quiet" onClick={clear}>
                {words.clear}
              </Button>
            </div>
          )}
          <p role="status" className="m-0 text-failed empty:hidden">
            {left.noPictures && words.noPictures}
            {left.tooMany > 0 && words.tooMany(left.tooMany)}
          </p>
          {predictions.failed !== null && <Failed error={predictions.failed} onAgain={predictions.again} />}
          <ol className="m-0 flex list-none flex-col gap-3 p-0">
            {pictures.map((picture) => (
              <Shown
                key={picture.id}
                jobId={job?.id ?? ''}
                picture={picture}
                result={predictions.of(picture.id)}
                looking={predictions.looking === picture.id}
                waits={predictions.looking !== null && predictions.looking !== picture.id}
                preparing={predictions.preparing}
                least={least}
                onRemove={() => remove(picture.id)}
              />
            ))}
          </ol>
        </section>
      </div>
    </DropArea>
  );
}

function Failed({ error, onAgain }: { error: unknown; onAgain: () => void }) {
  const words = useWords(tryWords);
  return (
    <div role="alert" className="panel flex flex-wrap items-center gap-3 border-failed bg-failed-soft p-3">
      <div className="min-w-0 flex-1">
        {error instanceof ApiError && error.code === 'prediction_failed' && (
          <p className="m-0 font-strong">{words.failed}</p>
        )}
        <ErrorText error={error} />
      </div>
      <Button onClick={onAgain}>{words.again}</Button>
    </div>
  );
}

function Coming() {
  return (
    <div className="grid gap-4 p-4 wide:grid-cols-[16rem_minmax(0,1fr)]">
      <div className="flex flex-col gap-4">
        <Skeleton className="h-28 w-full" />
        <Skeleton className="h-14 w-full" />
      </div>
      <Skeleton className="h-72 w-full" />
    </div>
  );
}
