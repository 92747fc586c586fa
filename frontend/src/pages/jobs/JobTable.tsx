/** The list: as long as its scrollbar says, with only the rows in it that can be seen. */
import { type FocusEvent, type PointerEvent, type ReactNode, useCallback, useEffect, useRef, useState } from 'react';
import { useMay } from '~/api/session';
import { useFormat } from '~/format/format';
import { useWords } from '~/i18n/words';
import { Skeleton } from '~/ui/Told';
import type { Chosen } from './chosen';
import { COLUMNS, HEAD, ROW_NARROW, ROW_WIDE } from './columns';
import { RowGroup, Table } from './Grid';
import { HeadRow } from './HeadRow';
import { JobRow, SkeletonRow } from './JobRow';
import { pagesOf } from './rows';
import type { Selection } from './selection';
import type { Listed } from './useRows';
import { useWindow } from './useWindow';
import { jobsWords } from './words';

const SETTLED_MS = 60; // pages that are only flown over are not asked for

type Props = {
  listed: Listed;
  chosen: Chosen;
  wide: boolean;
  selection: Selection;
  /** The job that the keyboard is at. */
  current: number;
  datasets: ReadonlyMap<string, string>;
  onSelect: (row: number, range: boolean) => void;
  onSelectAll: () => void;
  onSort: (sort: Chosen['sort'], descending: boolean) => void;
  onPages: (pages: number[]) => void;
  onHeld: (held: boolean) => void;
};

export function JobTable(props: Props) {
  const { listed, chosen, wide, current, onPages } = props;
  const words = useWords(jobsWords);
  const may = useMay();
  const total = listed.rows.total ?? 0;
  const height = wide ? ROW_WIDE : ROW_NARROW;
  const { scroller, rows, scrolled, reveal, toTop } = useWindow(height, wide ? HEAD : 0);
  const to = Math.min(rows.to, total);
  const indexes = Array.from({ length: Math.max(0, to - rows.from) }, (_, place) => rows.from + place);

  const pages = pagesOf(rows.from, Math.max(rows.from, to - 1), total).join();
  useEffect(() => {
    const timer = setTimeout(() => onPages(pages.split(',').map(Number)), SETTLED_MS);
    return () => clearTimeout(timer);
  }, [pages, onPages]);

  // another choice begins at its top; the same one, come back to, where it was left
  const choice = JSON.stringify(chosen);
  const before = useRef(choice);
  useEffect(() => {
    if (before.current !== choice) toTop();
    before.current = choice;
  }, [choice, toTop]);
  useEffect(() => {
    if (current >= 0) reveal(current);
  }, [current, reveal]);

  const looked = useLooked(scrolled, props.onHeld);
  const showNews = () => {
    toTop();
    void listed.showNews();
  };
  return (
    <div className="relative flex min-h-64 grow basis-0 flex-col">
      {listed.news > 0 && <News count={listed.news} onShow={showNews} />}
      <Table
        ref={scroller}
        data-scroll-restoration-id="jobs"
        aria-label={words.list}
        aria-rowcount={total + 1}
        aria-colcount={COLUMNS.length + 1}
        aria-busy={listed.old}
        className="min-h-0 grow basis-0 overflow-x-hidden overflow-y-auto [overflow-anchor:none]"
      >
        {wide && (
          <HeadRow
            chosen={chosen}
            onSort={props.onSort}
            selected={props.selection.size}
            total={total}
            onSelectAll={props.onSelectAll}
          />
        )}
        <RowGroup
          className={`relative ${listed.old ? 'opacity-60' : ''}`}
          style={{ height: total * height }}
          {...looked}
        >
          {indexes.map((index) => {
            const job = listed.rows.at(index);
            const top = index * height;
            if (job === undefined) return <SkeletonRow key={`row-${index}`} top={top} wide={wide} />;
            return (
              <JobRow
                key={job.id}
                job={job}
                row={index}
                top={top}
                wide={wide}
                selected={props.selection.has(job.id)}
                current={index === current}
                dataset={job.dataset_id === null ? null : (props.datasets.get(job.dataset_id) ?? job.dataset_id)}
                metric={chosen.metric}
                best={chosen.best}
                mayRetry={may('member', job.project_id)}
                onSelect={props.onSelect}
              />
            );
          })}
        </RowGroup>
      </Table>
    </div>
  );
}

/** Whether somebody looks at certain rows: by pointer, by keyboard, or because they were scrolled to. */
function useLooked(scrolled: boolean, onHeld: (held: boolean) => void) {
  const [over, setOver] = useState(false);
  const [focused, setFocused] = useState(false);
  const held = scrolled || over || focused;
  useEffect(() => onHeld(held), [held, onHeld]);
  return {
    // a finger is not over anything when it is lifted
    onPointerEnter: useCallback((event: PointerEvent) => setOver(event.pointerType === 'mouse'), []),
    onPointerLeave: useCallback(() => setOver(false), []),
    onFocus: useCallback(() => setFocused(true), []),
    onBlur: useCallback(
      (event: FocusEvent) =>
        setFocused(event.relatedTarget instanceof Node && event.currentTarget.contains(event.relatedTarget)),
      [],
    ),
  };
}

function News({ count, onShow }: { count: number; onShow: () => void }): ReactNode {
  const words = useWords(jobsWords);
  const format = useFormat();
  return (
    <button
      type="button"
      onClick={onShow}
      className="-translate-x-1/2 absolute top-10 left-1/2 z-20 rounded-full border border-accent bg-bg px-3 py-1 font-strong text-accent shadow-float hover:bg-accent-soft"
    >
      <span aria-hidden>↑ </span>
      {words.newJobs(format.count(count))}
    </button>
  );
}

export function TableSkeleton() {
  const words = useWords(jobsWords);
  return (
    <div role="status" aria-label={words.loading} className="flex flex-col gap-5 p-4 pt-10">
      {Array.from({ length: 12 }, (_, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: all the same, and in no order
        <Skeleton key={index} />
      ))}
    </div>
  );
}
