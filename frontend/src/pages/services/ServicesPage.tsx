/** How everything is: what answers, what is in use, and what doctor finds. */
import { useQuery } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import type { Schemas, State } from '~/api/client';
import { statusQuery } from '~/api/queries';
import { useMe } from '~/api/session';
import { useFormat } from '~/format/format';
import { useWords } from '~/i18n/words';
import { Page } from '~/ui/Page';
import { Rich } from '~/ui/Rich';
import { StateMark } from '~/ui/StateMark';
import { Lasting } from '~/ui/Time';
import { Failure, Skeleton } from '~/ui/Told';
import { Doctor } from './Doctor';
import { Mark } from './Mark';
import { servicesWords } from './words';

const AGAIN_MS = 5_000;
const STATES: State[] = ['PENDING', 'QUEUED', 'RUNNING', 'SUCCEEDED', 'FAILED', 'CANCELLED'];

export function ServicesPage() {
  const words = useWords(servicesWords);
  const status = useQuery({ ...statusQuery, refetchInterval: AGAIN_MS });
  const me = useMe();
  return (
    <Page title={words.title}>
      <div className="flex max-w-4xl flex-col gap-6 p-4">
        {status.isError && <Failure error={status.error} onRetry={() => void status.refetch()} />}
        {status.data === undefined ? (
          status.isPending && <Skeleton className="h-56 w-full" />
        ) : (
          <Shown status={status.data} stale={status.isError} />
        )}
        {me.administrator ? <Doctor /> : <p className="m-0 text-muted">{words.doctorElsewhere}</p>}
      </div>
    </Page>
  );
}

function Shown({ status, stale }: { status: Schemas['PlatformStatus']; stale: boolean }) {
  const words = useWords(servicesWords);
  const format = useFormat();
  const use = (used: number, all: number) => (all === 0 ? words.none : words.inUse(used, all));
  return (
    <>
      <div className="grid gap-3 wide:grid-cols-2">
        <Service name={words.backend} good={!stale}>
          {words.version} {status.version} · {words.since} <Lasting from={status.started_at} to={null} />
        </Service>
        <Service name={words.database} good={status.ready.database} />
        <Service name={words.storage} good={status.ready.storage}>
          {!status.ready.storage && <Rich text={words.storageGone} />}
        </Service>
        <Service name={words.mlflow} good={status.mlflow} mild>
          {status.mlflow ? <Outside url={status.mlflow_url} name={words.mlflow} /> : words.mlflowLater}
        </Service>
      </div>
      <dl className="panel m-0 grid grid-cols-2 gap-3 p-3 wide:grid-cols-4">
        <Fact name={words.slots}>{use(status.slots_in_use, status.slots)}</Fact>
        <Fact name={words.gpus}>{use(status.gpus_in_use, status.gpus)}</Fact>
        <Fact name={words.disk}>{format.bytes(status.disk_free_bytes)}</Fact>
        <Fact name={words.tier}>{status.execution}</Fact>
      </dl>
      <section aria-label={words.jobs} className="flex flex-wrap gap-x-6 gap-y-2">
        {STATES.map((state) => (
          <span key={state} className="inline-flex items-center gap-2">
            <StateMark state={state} /> {format.count(status.jobs[state] ?? 0)}
          </span>
        ))}
      </section>
    </>
  );
}

function Service(props: { name: string; good: boolean; mild?: boolean; children?: ReactNode }) {
  const words = useWords(servicesWords);
  const verdict = props.good ? 'ok' : props.mild ? 'warn' : 'fail';
  return (
    <div className="panel flex flex-col gap-1 p-3">
      <div className="flex items-center justify-between gap-2">
        <h2 className="m-0 text-body">{props.name}</h2>
        <Mark verdict={verdict} text={props.good ? words.answers : words.silent} />
      </div>
      {props.children && <div className="text-muted text-small">{props.children}</div>}
    </div>
  );
}

/** The backend's word for an address is not enough: only http leads anywhere. */
function Outside({ url, name }: { url: string; name: string }) {
  const words = useWords(servicesWords);
  if (!/^https?:\/\//.test(url)) return null;
  return (
    <a href={url} target="_blank" rel="noreferrer noopener" className="text-accent">
      {words.open(name)} ↗
    </a>
  );
}

function Fact({ name, children }: { name: string; children: ReactNode }) {
  return (
    <div>
      <dt className="text-muted text-small">{name}</dt>
      <dd className="m-0 font-strong">{children}</dd>
    </div>
  );
}
