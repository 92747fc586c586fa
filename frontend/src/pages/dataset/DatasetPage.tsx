/** One dataset: what the check found, its pictures, and the jobs that were given it. */
import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate, useParams, useSearch } from '@tanstack/react-router';
import { lazy, Suspense, useState } from 'react';
import type { Dataset } from '~/api/client';
import { datasetsQuery } from '~/api/queries';
import { useMay } from '~/api/session';
import { useFormat } from '~/format/format';
import { useWords } from '~/i18n/words';
import { facts } from '~/pages/datasets/grouping';
import { Button, buttonLook } from '~/ui/Button';
import { Copy } from '~/ui/Copy';
import { Page } from '~/ui/Page';
import { Ago } from '~/ui/Time';
import { Empty, ErrorText, Failure, Skeleton } from '~/ui/Told';
import { taskWords } from '~/ui/taskWords';
import { toldWords } from '~/ui/toldWords';
import { JobsTab } from './JobsTab';
import { PicturesTab } from './pictures/PicturesTab';
import { datasetQuery, reportQuery } from './queries';
import { ReportTab } from './report/ReportTab';
import { datasetWords } from './words';

const DeleteDialog = lazy(() => import('./DeleteDialog'));
const TABS = ['check', 'pictures', 'jobs'] as const;
type Tab = (typeof TABS)[number];

export function DatasetPage() {
  const words = useWords(datasetWords);
  const told = useWords(toldWords);
  const { datasetId = '' } = useParams({ strict: false });
  const { tab } = useSearch({ strict: false });
  const found = useQuery(datasetQuery(datasetId));
  const current: Tab = TABS.find((one) => one === tab) ?? 'check';
  if (found.isError && found.data === undefined)
    return (
      <Page title={datasetId}>
        <Empty
          title={<ErrorText error={found.error} />}
          action={
            <div className="flex gap-2">
              <Button onClick={() => void found.refetch()}>{told.again}</Button>
              <Link to="/datasets" className={buttonLook()}>
                {words.all}
              </Link>
            </div>
          }
        />
      </Page>
    );
  if (found.data === undefined)
    return (
      <Page title={datasetId}>
        <div className="flex flex-col gap-4 p-4">
          <Skeleton className="h-5 w-80" />
          <Skeleton className="h-24 w-full" />
          <Skeleton className="h-64 w-full" />
        </div>
      </Page>
    );
  const dataset = found.data;
  return (
    <Page title={dataset.name} heading={<Heading dataset={dataset} />} actions={<Deeds dataset={dataset} />}>
      <Facts dataset={dataset} />
      <Tabs dataset={dataset} current={current} />
      {current === 'jobs' ? <JobsTab dataset={dataset} /> : <Checked dataset={dataset} tab={current} />}
    </Page>
  );
}

function Heading({ dataset }: { dataset: Dataset }) {
  return (
    <span className="line-clamp-2" title={dataset.name}>
      {dataset.name}
    </span>
  );
}

function Checked({ dataset, tab }: { dataset: Dataset; tab: Tab }) {
  const report = useQuery(reportQuery(dataset.id));
  if (report.data !== undefined)
    return tab === 'pictures' ? (
      <PicturesTab dataset={dataset} report={report.data} />
    ) : (
      <ReportTab dataset={dataset} report={report.data} />
    );
  return (
    <div className="p-4">
      {report.isError ? (
        <Failure error={report.error} onRetry={() => void report.refetch()} />
      ) : (
        <Skeleton className="h-24 w-full" />
      )}
    </div>
  );
}

function Deeds({ dataset }: { dataset: Dataset }) {
  const words = useWords(datasetWords);
  const may = useMay();
  const [removing, setRemoving] = useState(false);
  return (
    <>
      <Versions dataset={dataset} />
      <a href={`/v1/datasets/${encodeURIComponent(dataset.id)}/file`} download className={buttonLook()}>
        {words.download}
      </a>
      {may('admin', dataset.project_id) && (
        <Button kind="danger" onClick={() => setRemoving(true)}>
          {words.remove}
        </Button>
      )}
      {may('member', dataset.project_id) && (
        <Link to="/new" search={{ dataset: dataset.id }} className={buttonLook(dataset.ready ? 'primary' : 'plain')}>
          {words.newJob}
        </Link>
      )}
      {removing && (
        <Suspense>
          <DeleteDialog dataset={dataset} onClose={() => setRemoving(false)} />
        </Suspense>
      )}
    </>
  );
}

/** Other content of the same name. */
function Versions({ dataset }: { dataset: Dataset }) {
  const words = useWords(datasetWords);
  const format = useFormat();
  const navigate = useNavigate();
  const { tab = '' } = useSearch({ strict: false });
  const { data } = useQuery(datasetsQuery);
  const same = (data?.items ?? []).filter((one) => one.project_id === dataset.project_id && one.name === dataset.name);
  if (same.length < 2) return null;
  same.sort((a, b) => b.version - a.version);
  return (
    <select
      aria-label={words.version}
      className="field w-auto!"
      value={dataset.id}
      onChange={(event) =>
        void navigate({ to: '/datasets/$datasetId', params: { datasetId: event.target.value }, search: { tab } })
      }
    >
      {same.map((one) => (
        <option key={one.id} value={one.id}>
          {words.versionOf(one.version, format.at(one.created_at))}
        </option>
      ))}
    </select>
  );
}

function Facts({ dataset }: { dataset: Dataset }) {
  const words = useWords(datasetWords);
  const tasks = useWords(taskWords);
  const format = useFormat();
  const { pictures, classes } = facts(dataset);
  const count = pictures === null ? '–' : format.count(pictures);
  return (
    <div className="flex flex-wrap items-center gap-x-4 gap-y-1 px-4 pt-2 text-muted">
      <span>{dataset.tasks.map((task) => tasks[task]).join(', ')}</span>
      <span>{words.facts(count, format.count(classes.length), format.bytes(dataset.bytes))}</span>
      <span>
        v{dataset.version} · <Ago at={dataset.created_at} />
      </span>
      <span className="font-mono text-small">{dataset.id}</span>
      <Copy text={dataset.sha256} name={words.sha}>
        <span className="font-mono text-small">{dataset.sha256.slice(0, 12)}</span>
      </Copy>
    </div>
  );
}

const TAB = 'whitespace-nowrap border-b-2 px-3 py-2 no-underline ';

function Tabs({ dataset, current }: { dataset: Dataset; current: Tab }) {
  const words = useWords(datasetWords);
  const format = useFormat();
  const { pictures } = facts(dataset);
  const counts: Record<Tab, string> = {
    check: '',
    pictures: pictures === null ? '' : format.count(pictures),
    jobs: format.count(dataset.jobs),
  };
  return (
    <nav aria-label={words.views} className="mt-1 flex overflow-x-auto border-line border-b px-1">
      {TABS.map((name) => (
        <Link
          key={name}
          to="/datasets/$datasetId"
          params={{ datasetId: dataset.id }}
          search={name === 'check' ? {} : { tab: name }}
          replace
          resetScroll={false}
          aria-current={name === current ? 'page' : undefined}
          className={`${TAB} ${name === current ? 'border-accent font-strong text-text' : 'border-transparent text-muted hover:text-text'}`}
        >
          {words[name]} <span className="font-normal text-muted">{counts[name]}</span>
        </Link>
      ))}
    </nav>
  );
}
