/** One job: what it is and how it stands, why it failed, and its views. */
import { useQuery } from '@tanstack/react-query';
import { Link, useParams, useSearch } from '@tanstack/react-router';
import { Suspense } from 'react';
import { ApiError, type Job } from '~/api/client';
import { jobQuery } from '~/api/queries';
import { useWords } from '~/i18n/words';
import { buttonLook } from '~/ui/Button';
import { useDocumentTitle } from '~/ui/Page';
import { Empty, Failure, Skeleton } from '~/ui/Told';
import { Banner } from './banner/Banner';
import { Header } from './header/Header';
import { Tabs } from './Tabs';
import { tabOf } from './tabs';
import { jobWords } from './words';

export function JobPage() {
  const { jobId } = useParams({ from: '/inside/jobs/$jobId' });
  const { data: job, error, refetch } = useQuery(jobQuery(jobId));
  if (job !== undefined) return <Shown key={job.id} job={job} />;
  if (error instanceof ApiError && error.status === 404) return <Missing />;
  if (error === null) return <Loading />;
  return (
    <div className="p-4">
      <Failure error={error} onRetry={() => void refetch()} />
    </div>
  );
}

/** As high as the header and its tabs will be. */
function Loading() {
  return (
    <div className="flex flex-col gap-2 p-4">
      <Skeleton className="h-6 w-80 max-w-full" />
      <Skeleton className="h-4 w-56" />
      <Skeleton className="h-4 w-96 max-w-full" />
      <div className="my-1 h-8" />
      <Skeleton className="h-64 w-full" />
    </div>
  );
}

function Missing() {
  const words = useWords(jobWords);
  return (
    <Empty
      title={words.noJob}
      action={
        <Link to="/" className={buttonLook()}>
          {words.toJobs}
        </Link>
      }
    >
      {words.noJobWhy}
    </Empty>
  );
}

function Shown({ job }: { job: Job }) {
  const search = useSearch({ from: '/inside/jobs/$jobId' });
  const { name, View, fills } = tabOf(search.tab);
  useDocumentTitle(job.name);
  return (
    <div className={`flex flex-col ${fills ? 'h-full min-h-[32rem]' : 'min-h-full'}`}>
      <Header job={job} />
      <Banner job={job} />
      <Tabs jobId={job.id} current={name} />
      <div className="flex min-h-0 flex-1 flex-col">
        <Suspense
          fallback={
            <div className="p-4">
              <Skeleton className="h-64 w-full" />
            </div>
          }
        >
          <View job={job} />
        </Suspense>
      </div>
    </div>
  );
}
