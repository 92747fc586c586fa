/** A new training, from nothing or from another job (`?from=`), perhaps on a dataset that is named (`?dataset=`). */
import { useQuery, useSuspenseQuery } from '@tanstack/react-query';
import { Link, useSearch } from '@tanstack/react-router';
import { useMemo } from 'react';
import { datasetsQuery, jobQuery, statusQuery, trainersQuery } from '~/api/queries';
import { meQuery, useMay } from '~/api/session';
import type { Search } from '~/app/search';
import { useWords } from '~/i18n/words';
import { buttonLook } from '~/ui/Button';
import { Page } from '~/ui/Page';
import { Empty, Failure, Skeleton } from '~/ui/Told';
import type { Offered } from './draft';
import { JobForm } from './JobForm';
import { newJobWords } from './words';

export function NewJobPage() {
  const words = useWords(newJobWords);
  const search: Search = useSearch({ strict: false });
  const may = useMay();
  const from = search.from ?? '';
  return (
    <Page title={from ? words.cloneTitle : words.title}>
      {may('member') ? <Loaded key={from} from={from} wantedDataset={search.dataset} /> : <Viewer />}
    </Page>
  );
}

function Viewer() {
  const words = useWords(newJobWords);
  return (
    <Empty
      title={words.viewer}
      action={
        <Link to="/" className={buttonLook()}>
          {words.toJobs}
        </Link>
      }
    >
      {words.viewerWhy}
    </Empty>
  );
}

function Loaded({ from, wantedDataset }: { from: string; wantedDataset: string | undefined }) {
  const words = useWords(newJobWords);
  const may = useMay();
  const { data: me } = useSuspenseQuery(meQuery);
  const trainers = useQuery(trainersQuery);
  const datasets = useQuery(datasetsQuery);
  const status = useQuery(statusQuery);
  const origin = useQuery({ ...jobQuery(from), enabled: from !== '' });
  const projectId = me.projects.find((one) => may('member', one.id))?.id ?? 'default';

  const offered = useMemo<Offered | null>(() => {
    const whole = trainers.data && datasets.data && !status.isPending && (from === '' || origin.data);
    if (!whole) return null;
    return {
      trainers: trainers.data.items,
      datasets: datasets.data.items,
      execution: status.data?.execution ?? 'local',
      projectId: origin.data?.project_id ?? projectId,
      origin: origin.data ?? null,
    };
  }, [trainers.data, datasets.data, status.isPending, status.data, from, origin.data, projectId]);

  const failed = [trainers, datasets, ...(from === '' ? [] : [origin])].find((one) => one.isError);
  if (offered === null && failed)
    return (
      <div className="p-4">
        <Failure error={failed.error} onRetry={() => void failed.refetch()} />
      </div>
    );
  if (offered === null) return <Coming />;
  if (offered.trainers.length === 0) return <Empty title={words.noTrainers}>{words.noTrainersWhy}</Empty>;
  return <JobForm offered={offered} wantedDataset={wantedDataset} status={status.data} projects={me.projects} />;
}

/** As high as the form will be. */
function Coming() {
  return (
    <div className="grid gap-x-8 gap-y-5 p-4 desk:grid-cols-[minmax(0,1fr)_20rem]">
      <div className="flex max-w-4xl flex-col gap-5">
        <Skeleton className="h-44 w-full" />
        <Skeleton className="h-20 w-full" />
        <Skeleton className="h-14 w-1/2" />
        <Skeleton className="h-32 w-full" />
        <Skeleton className="h-52 w-full" />
      </div>
      <Skeleton className="h-60 w-full" />
    </div>
  );
}
