/** One job: what it is and how it stands, why it failed, and its views. */
import { useQuery } from '@tanstack/react-query';
import { useParams, useSearch } from '@tanstack/react-router';
import { Suspense } from 'react';
import { type Job } from '~/api/client';
import { jobQuery } from '~/api/queries';
import { useDocumentTitle } from '~/ui/Page';
import { Failure, Skeleton } from '~/ui/Told';
import { Banner } from './banner/Banner';
import { Header } from './header/Header';
import { Tabs } from './Tabs';
import { tabOf } from './tabs';

export function JobPage() {
  const { jobId } = useParams({ from: '/inside/jobs/$jobId' });
  const { data: job, error, refetch } = useQuery(jobQuery(jobId));
  if (job !== undefined) return <Shown key={job.id} job={job} />;
  return (
    <div className="flex flex-col gap-3 p-4">
      {error === null ? (
        <>
          <Skeleton className="h-6 w-80" />
          <Skeleton className="h-5 w-56" />
          <Skeleton className="h-64 w-full" />
        </>
      ) : (
        <Failure error={error} onRetry={() => void refetch()} />
      )}
    </div>
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
