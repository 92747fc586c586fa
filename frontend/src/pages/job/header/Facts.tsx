/** The line below: what it trains on what, where, how it came to be, and where else to look. */
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { api, ask, type Job } from '~/api/client';
import { statusQuery } from '~/api/queries';
import { useFormat } from '~/format/format';
import { useWords } from '~/i18n/words';
import { Copy } from '~/ui/Copy';
import { tierWords } from '~/ui/tierWords';
import { jobWords } from '../words';
import { mlflowAddress } from './mlflow';

export function Facts({ job }: { job: Job }) {
  const words = useWords(jobWords);
  const tiers = useWords(tierWords);
  const format = useFormat();
  const started = job.launched_at !== null && job.started_at !== null ? job.started_at - job.launched_at : null;
  return (
    <ul className="m-0 flex list-none flex-wrap items-center gap-x-3 gap-y-0.5 p-0 text-muted text-small">
      <Fact name={words.model}>
        {job.framework} {job.model}
      </Fact>
      <Fact name={words.dataset}>
        {job.dataset_id === null ? (
          words.noDataset
        ) : (
          <Link to="/datasets/$datasetId" params={{ datasetId: job.dataset_id }} className="text-text">
            {job.dataset_id}
          </Link>
        )}
      </Fact>
      <Fact name={words.tier}>{tiers[job.execution]}</Fact>
      {job.attached && <Fact>{words.attached}</Fact>}
      {started !== null && started >= 0 && <Fact>{words.startedIn(format.duration(started))}</Fact>}
      {job.attempt > 1 && <Fact>{words.attempt(format.count(job.attempt))}</Fact>}
      {job.parent_id !== null && (
        <Fact>
          {job.resume_from === null ? words.retryOf : words.resumeOf}{' '}
          <Link to="/jobs/$jobId" params={{ jobId: job.parent_id }} className="font-mono text-text">
            {job.parent_id}
          </Link>
        </Fact>
      )}
      <MlflowLink job={job} />
      <li className="font-mono">
        <Copy text={job.id} name={words.jobId}>
          {job.id}
        </Copy>
      </li>
      <li className="font-mono">
        <Copy text={job.trace_id} name={words.traceId}>
          {words.trace} {job.trace_id.slice(0, 4)}…
        </Copy>
      </li>
    </ul>
  );
}

function Fact({ name, children }: { name?: string; children: ReactNode }) {
  return (
    <li className="min-w-0">
      {name && <span className="sr-only">{name}: </span>}
      {children}
    </li>
  );
}

function MlflowLink({ job }: { job: Job }) {
  const words = useWords(jobWords);
  const run = job.mlflow_run_id;
  const { data: status } = useQuery({ ...statusQuery, enabled: run !== null });
  const { data: experiment } = useQuery({
    queryKey: ['mlflow', job.id, run],
    enabled: run !== null,
    staleTime: Number.POSITIVE_INFINITY,
    queryFn: ({ signal }) =>
      ask(
        api.GET('/v1/jobs/{job_id}/events', {
          params: { path: { job_id: job.id }, query: { type: ['mlflow_run'], newest: true, limit: 1 } },
          signal,
        }),
      ).then(({ items }) => String(items[0]?.data.experiment_id ?? '')),
  });
  const address = mlflowAddress(status?.mlflow_url, experiment, run);
  if (address === null) return null;
  return (
    <li>
      <a href={address} target="_blank" rel="noreferrer" className="text-text" title={words.newTab}>
        {words.mlflow} <span aria-hidden>↗</span>
        <span className="sr-only">({words.newTab})</span>
      </a>
    </li>
  );
}
