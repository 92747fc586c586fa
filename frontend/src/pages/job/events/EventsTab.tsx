/** What happened to a job, in order, with dates. */
import { memo, useState } from 'react';
import type { Job, State } from '~/api/client';
import { useFormat } from '~/format/format';
import { useNow } from '~/format/now';
import { useWords } from '~/i18n/words';
import { Button } from '~/ui/Button';
import { Check } from '~/ui/Check';
import { type Reason, reasonWords } from '~/ui/reasonWords';
import { StateMark } from '~/ui/StateMark';
import { stateWords } from '~/ui/stateWords';
import { Empty, Failure, Skeleton } from '~/ui/Told';
import { type Entry, lineOf, unchanged } from './line';
import { told } from './told';
import { useEvents } from './useEvents';
import { eventWords } from './words';

export function EventsTab({ job }: { job: Job }) {
  const words = useWords(eventWords);
  const format = useFormat();
  const [eachEpoch, setEachEpoch] = useState(false);
  const { query, older } = useEvents(job.id, eachEpoch);
  const { data, error } = query;
  return (
    <section aria-label={words.events} className="flex max-w-4xl flex-col gap-3 p-4">
      <div className="flex flex-wrap items-center gap-3">
        <Check label={words.eachEpoch} on={eachEpoch} onChange={setEachEpoch} className="min-h-8" />
        {data?.older && (
          <Button className="ml-auto" disabled={older.isPending} onClick={() => older.mutate()}>
            {older.isPending ? words.loadingOlder : words.older}
          </Button>
        )}
      </div>
      {error !== null && <Failure error={error} onRetry={() => void query.refetch()} />}
      {older.error !== null && <Failure error={older.error} onRetry={() => older.mutate()} />}
      {data === undefined && error === null && (
        <div className="flex flex-col gap-3">
          {[0, 1, 2, 3, 4].map((n) => (
            <Skeleton key={n} className="h-8 w-2/3" />
          ))}
        </div>
      )}
      {data?.items.length === 0 && <Empty title={words.none}>{words.noneHelp}</Empty>}
      {data !== undefined && data.items.length > 0 && (
        <ol className="m-0 list-none p-0">
          {lineOf(data.items, format.day).map((entry) => (
            <EntryRow key={entry.key} entry={entry} />
          ))}
        </ol>
      )}
    </section>
  );
}

const ROW = 'grid grid-cols-[4.5rem_1.25rem_minmax(0,1fr)] gap-x-2';

const EntryRow = memo(EntryOf, (was, is) => unchanged(was.entry, is.entry));

function EntryOf({ entry }: { entry: Entry }) {
  const words = useWords(eventWords);
  const format = useFormat();
  if (entry.kind === 'day') return <li className="pt-2 pb-1 font-strong">{format.day(entry.at)}</li>;
  if (entry.kind === 'attempt')
    return (
      <li className={ROW}>
        <span />
        <Rail />
        <span className="my-1 w-fit rounded-full bg-sunken px-2.5 py-0.5 text-small">
          {words.attempt(format.count(entry.attempt))}
        </span>
      </li>
    );
  const { at } = entry.event;
  return (
    <li className={`${ROW} [contain-intrinsic-size:auto_1.5rem] [content-visibility:auto]`}>
      <time
        dateTime={new Date(at * 1000).toISOString()}
        title={format.at(at)}
        className={`font-mono text-muted text-small ${entry.kind === 'state' ? 'py-2' : 'py-1'}`}
      >
        {format.clock(at)}
      </time>
      <Rail big={entry.kind === 'state'} />
      {entry.kind === 'state' ? <StateRow entry={entry} /> : <SmallRow entry={entry} />}
    </li>
  );
}

/** The line that holds them together. */
function Rail({ big }: { big?: boolean }) {
  const dot = big === undefined ? '' : big ? 'top-3 size-3 border-2 border-text bg-bg' : 'top-2.5 size-1.5 bg-muted';
  return (
    <span aria-hidden className="relative">
      <span className="absolute inset-y-0 left-1/2 w-px -translate-x-1/2 bg-line-strong" />
      {big !== undefined && <span className={`absolute left-1/2 -translate-x-1/2 rounded-full ${dot}`} />}
    </span>
  );
}

function StateRow({ entry }: { entry: Extract<Entry, { kind: 'state' }> }) {
  const states = useWords(stateWords);
  const reasons = useWords(reasonWords);
  const { to, reason, event, until } = entry;
  const known = to in states ? (to as State) : null;
  const why = reason !== null && reason in reasons && reason !== 'Completed' ? reasons[reason as Reason] : null;
  const message = ['Submitted.', 'Completed.'].includes(event.message) ? '' : event.message;
  return (
    <div className="flex min-w-0 flex-wrap items-center gap-x-3 py-1.5">
      {known === null ? (
        <span className="font-strong">{to}</span>
      ) : known === 'RUNNING' && until !== null ? (
        <WasRunning />
      ) : (
        <StateMark state={known} />
      )}
      {why !== null && <span>{why}</span>}
      {until !== undefined && <Lasted from={event.at} until={until} />}
      {message !== '' && (
        <span lang="en" className="w-full whitespace-pre-wrap text-muted">
          {message}
        </span>
      )}
    </div>
  );
}

/** Only what still runs moves. */
function WasRunning() {
  const states = useWords(stateWords);
  return (
    <span className="inline-flex items-center gap-1.5 whitespace-nowrap font-strong text-running">
      <svg
        aria-hidden
        viewBox="0 0 16 16"
        className="size-4 shrink-0"
        fill="none"
        stroke="currentColor"
        strokeWidth="2"
      >
        <circle cx="8" cy="8" r="6" opacity="0.25" />
        <path d="M8 2a6 6 0 0 1 6 6" strokeLinecap="round" />
      </svg>
      {states.RUNNING}
    </span>
  );
}

function Lasted({ from, until }: { from: number; until: number | null }) {
  const words = useWords(eventWords);
  const format = useFormat();
  if (until === null) return <Lasting from={from} />;
  return <span className="text-muted">{words.lasted(format.duration(Math.max(0, until - from)))}</span>;
}

function Lasting({ from }: { from: number }) {
  const words = useWords(eventWords);
  const format = useFormat();
  const now = useNow();
  return <span className="text-muted">{words.lasting(format.duration(Math.max(0, Math.round(now - from))))}</span>;
}

function SmallRow({ entry }: { entry: Extract<Entry, { kind: 'event' }> }) {
  const words = useWords(eventWords);
  const format = useFormat();
  const { title, detail, bad } = told(entry.event, entry.count, words, format);
  return (
    <div className="min-w-0 py-1 text-small">
      <span className={bad ? 'font-strong text-queued' : ''}>{title}</span>
      {detail !== '' && (
        <span lang="en" className="pl-2 text-muted [overflow-wrap:anywhere]">
          {detail.length > 600 ? `${detail.slice(0, 600)}…` : detail}
        </span>
      )}
    </div>
  );
}
