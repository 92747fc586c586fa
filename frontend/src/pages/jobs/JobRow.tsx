/** One job in the list: a line of cells, or two lines where there is little room. */
import { Link, useRouter } from '@tanstack/react-router';
import { type CSSProperties, type KeyboardEvent, type MouseEvent, memo, useEffect, useRef } from 'react';
import type { Job } from '~/api/client';
import { isTyping } from '~/app/keys';
import { useWords } from '~/i18n/words';
import { StateIcon, StateMark, shownState } from '~/ui/StateMark';
import { Ago, Lasting } from '~/ui/Time';
import { tierWords } from '~/ui/tierWords';
import { MetricCell, nameOf, ProgressCell } from './Cells';
import type { Best } from './chosen';
import { GRID, ROW_NARROW, ROW_WIDE } from './columns';
import { Cell, Row } from './Grid';
import { jobsWords } from './words';

export type RowProps = {
  job: Job;
  row: number;
  top: number;
  wide: boolean;
  selected: boolean;
  /** The row that the keyboard is at. */
  current: boolean;
  dataset: string | null;
  metric: string;
  best: Best;
  mayRetry: boolean;
  onSelect: (row: number, range: boolean) => void;
};

const CELL = 'min-w-0 truncate';

export const JobRow = memo(function JobRow(props: RowProps) {
  const { job, row, wide, selected, current, onSelect } = props;
  const router = useRouter();
  const open = () => void router.navigate({ to: '/jobs/$jobId', params: { jobId: job.id } });

  const click = (event: MouseEvent) => {
    if (event.target instanceof Element && event.target.closest('a, button, input, label') !== null) return;
    if (event.shiftKey) onSelect(row, true);
    else if (getSelection()?.type !== 'Range') open(); // somebody marks text to copy it
  };
  const press = (event: KeyboardEvent) => {
    if (event.key === 'Enter' && event.target === event.currentTarget) open();
  };
  const place = useRef<HTMLDivElement>(null);
  useEffect(() => {
    // the keyboard brings the focus along, but takes it from nobody who types elsewhere
    if (current && !isTyping(document.activeElement)) place.current?.focus({ preventScroll: true });
  }, [current]);
  const look = selected ? 'bg-accent-soft' : current ? 'bg-sunken' : 'hover:bg-raised';
  return (
    <Row
      ref={place}
      aria-rowindex={row + 2}
      data-job={job.id}
      tabIndex={current ? 0 : -1}
      onClick={click}
      onKeyDown={press}
      // a shift-click means rows, not text
      onMouseDown={(event) => event.shiftKey && event.preventDefault()}
      className={`absolute inset-x-0 cursor-default border-line border-b -outline-offset-2 ${look} ${wide ? GRID : 'flex gap-2 px-3'}`}
      style={placed(props.top, wide)}
    >
      {wide ? <Wide {...props} /> : <Narrow {...props} />}
    </Row>
  );
});

function placed(top: number, wide: boolean): CSSProperties {
  return { height: wide ? ROW_WIDE : ROW_NARROW, transform: `translateY(${top}px)` };
}

function Select({ job, row, selected, onSelect }: RowProps) {
  const words = useWords(jobsWords);
  return (
    <label className="-m-2 flex items-center p-2">
      <input
        type="checkbox"
        className="size-4 accent-(--accent)"
        aria-label={words.select(nameOf(job))}
        checked={selected}
        onChange={(event) => {
          const { nativeEvent } = event; // of a checkbox it is the click
          onSelect(row, 'shiftKey' in nativeEvent && nativeEvent.shiftKey === true);
        }}
      />
    </label>
  );
}

function Name({ job }: { job: Job }) {
  return (
    <Link
      to="/jobs/$jobId"
      params={{ jobId: job.id }}
      title={nameOf(job)}
      className="min-w-0 truncate font-strong text-text no-underline hover:underline"
    >
      {nameOf(job)}
    </Link>
  );
}

function Wide(props: RowProps) {
  const { job, dataset } = props;
  const words = useWords(tierWords);
  return (
    <>
      <Cell>
        <Select {...props} />
      </Cell>
      <Cell className="flex min-w-0 items-center overflow-hidden" title={job.message}>
        <StateMark state={shownState(job)} />
      </Cell>
      <Cell className="flex min-w-0 items-center gap-1.5">
        <Name job={job} />
        <span className="hidden min-w-0 max-w-2/5 shrink gap-1 overflow-hidden desk:flex">
          {job.tags.map((tag) => (
            <span key={tag} className="max-w-24 shrink-0 truncate rounded-full bg-sunken px-1.5 text-muted text-small">
              {tag}
            </span>
          ))}
        </span>
      </Cell>
      <Cell className={`${CELL} hidden desk:block`} title={job.framework}>
        {job.framework}
      </Cell>
      <Cell className={CELL} title={job.model}>
        {job.model}
      </Cell>
      <Cell className={`${CELL} hidden desk:block`}>{words[job.execution]}</Cell>
      <Cell className={CELL} title={dataset ?? undefined}>
        {dataset ?? '–'}
      </Cell>
      <Cell className="min-w-0">
        <ProgressCell job={job} mayRetry={props.mayRetry} />
      </Cell>
      <Cell className="min-w-0 text-right">
        <MetricCell job={job} metric={props.metric} best={props.best} />
      </Cell>
      <Cell className={`${CELL} text-right text-muted`}>
        <Ago at={job.started_at} />
      </Cell>
      <Cell className={`${CELL} text-right`}>
        <Lasting from={job.started_at} to={job.finished_at} />
      </Cell>
    </>
  );
}

function Narrow(props: RowProps) {
  const { job, dataset } = props;
  return (
    <>
      <Cell className="pt-3.5">
        <Select {...props} />
      </Cell>
      <Cell className="flex min-w-0 flex-1 flex-col justify-center gap-0.5">
        <span className="flex items-center gap-2">
          <StateIcon state={shownState(job)} />
          <Name job={job} />
          <span className="ml-auto shrink-0 whitespace-nowrap text-muted text-small">
            <Lasting from={job.started_at} to={job.finished_at} />
          </span>
        </span>
        <span className="flex items-center gap-2 text-muted text-small">
          <span className="min-w-0 flex-1 truncate">
            {job.model}
            {dataset !== null && ` · ${dataset}`}
          </span>
          <span className={`min-w-0 max-w-[60%] text-right ${job.state === 'RUNNING' ? 'flex-1' : 'shrink-0'}`}>
            {job.state === 'SUCCEEDED' ? (
              <MetricCell job={job} metric={props.metric || (job.best_metric ?? '')} best={props.best} />
            ) : (
              <ProgressCell job={job} mayRetry={props.mayRetry} />
            )}
          </span>
        </span>
      </Cell>
    </>
  );
}

export function SkeletonRow({ top, wide }: { top: number; wide: boolean }) {
  return (
    <div
      aria-hidden
      className="absolute inset-x-0 flex items-center border-line border-b px-4"
      style={placed(top, wide)}
    >
      <span className="h-3 w-2/5 rounded-field bg-sunken" />
      <span className="ml-auto h-3 w-1/5 rounded-field bg-sunken" />
    </div>
  );
}
