/** The jobs that were given this dataset, newest first. */
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import type { Dataset, Job } from '~/api/client';
import { useFormat } from '~/format/format';
import { useWords } from '~/i18n/words';
import { shownMetric } from '~/pages/jobs/best';
import { buttonLook } from '~/ui/Button';
import { StateMark, shownState } from '~/ui/StateMark';
import { Ago } from '~/ui/Time';
import { Empty, Failure, Skeleton } from '~/ui/Told';
import { JOBS_PAGE, jobsOnQuery } from './queries';
import { datasetWords } from './words';

const HEAD = 'px-3 py-2 text-left font-normal text-muted text-small';
const CELL = 'px-3 py-2';

export function JobsTab({ dataset }: { dataset: Dataset }) {
  const words = useWords(datasetWords);
  const format = useFormat();
  const found = useQuery(jobsOnQuery(dataset.id, 0));
  if (found.isPending)
    return (
      <div className="flex flex-col gap-3 p-4">
        <Skeleton className="h-9 w-full" />
        <Skeleton className="h-9 w-full" />
      </div>
    );
  if (found.isError)
    return (
      <div className="p-4">
        <Failure error={found.error} onRetry={() => void found.refetch()} />
      </div>
    );
  const { items, total } = found.data;
  if (items.length === 0)
    return (
      <Empty
        title={words.noJobs}
        action={
          <Link to="/new" search={{ dataset: dataset.id }} className={buttonLook('primary')}>
            {words.newJob}
          </Link>
        }
      />
    );
  return (
    <div className="pt-2">
      <table className="w-full table-fixed border-collapse">
        <thead className="border-line border-b">
          <tr>
            <th className={`${HEAD} w-32`}>{words.state}</th>
            <th className={HEAD}>{words.job}</th>
            <th className={`${HEAD} hidden wide:table-cell`}>{words.model}</th>
            <th className={`${HEAD} w-20 text-right wide:w-56`}>{words.best}</th>
            <th className={`${HEAD} hidden w-36 wide:table-cell`}>{words.started}</th>
          </tr>
        </thead>
        <tbody>
          {items.map((job) => (
            <Row key={job.id} job={job} />
          ))}
        </tbody>
      </table>
      {total > JOBS_PAGE && (
        <p className="m-0 p-3">
          <Link to="/" search={{ dataset: dataset.id }}>
            {words.allJobs(format.count(total))}
          </Link>
        </p>
      )}
    </div>
  );
}

function Row({ job }: { job: Job }) {
  const format = useFormat();
  const best = shownMetric(job, '', 'best');
  return (
    <tr className="border-line border-b hover:bg-raised">
      <td className={`${CELL} leading-none`}>
        <StateMark state={shownState(job)} />
      </td>
      <td className={CELL}>
        <Link
          to="/jobs/$jobId"
          params={{ jobId: job.id }}
          title={job.name || job.id}
          className="block truncate text-text"
        >
          {job.name || job.id}
        </Link>
      </td>
      <td className={`${CELL} hidden truncate wide:table-cell`}>{`${job.framework} · ${job.model}`}</td>
      <td className={CELL}>
        <span className="flex items-baseline justify-end gap-2">
          <span className="hidden truncate text-muted text-small wide:inline">{best?.name}</span>
          <span className="font-mono">{format.metric(best?.value)}</span>
        </span>
      </td>
      <td className={`${CELL} hidden text-muted wide:table-cell`}>
        <Ago at={job.created_at} />
      </td>
    </tr>
  );
}
