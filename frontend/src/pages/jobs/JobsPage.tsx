/** All jobs: live, filtered, sorted, compared, cancelled. */
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import { useCallback, useMemo, useRef, useState } from 'react';
import type { Job } from '~/api/client';
import { datasetsQuery, jobQuery } from '~/api/queries';
import { useMay } from '~/api/session';
import { useKeys } from '~/app/keys';
import { useFormat } from '~/format/format';
import { useWords } from '~/i18n/words';
import { buttonLook } from '~/ui/Button';
import { useMedia } from '~/ui/media';
import { Page } from '~/ui/Page';
import { Failure } from '~/ui/Told';
import { type Chosen, exportUrl, isFiltered, readChosen, withoutFilters, writeChosen } from './chosen';
import { Filters } from './Filters';
import { JobTable, TableSkeleton } from './JobTable';
import { NoJobs, NoneFound } from './NoJobs';
import { SelectionBar } from './SelectionBar';
import { MOST_SELECTED, NONE, type Selection, withAll, withToggled } from './selection';
import { sortedBy } from './sorting';
import { useFreshFacets } from './useFreshFacets';
import { useRows } from './useRows';
import { jobsWords } from './words';

const FIRST = [0];

export function JobsPage() {
  const words = useWords(jobsWords);
  const format = useFormat();
  const may = useMay();
  const navigate = useNavigate();
  const client = useQueryClient();
  const wide = useMedia('(min-width: 960px)');
  const search = useSearch({ from: '/inside/' });
  const chosen = useMemo(() => readChosen(search), [search]);
  // the list goes to its top by itself: the router would bring another choice to where the one before was
  const choose = (next: Chosen, replace = false) =>
    void navigate({ to: '/', search: writeChosen(next), replace, resetScroll: false });

  const [pages, setPages] = useState(FIRST);
  const [held, setHeld] = useState(false);
  const listed = useRows(chosen, pages, held);
  const { rows } = listed;
  const total = rows.total;
  useFreshFacets(chosen);

  const { data: known } = useQuery(datasetsQuery);
  const datasets = useMemo(
    () =>
      new Map((known?.items ?? []).map((one) => [one.id, one.version > 1 ? `${one.name} v${one.version}` : one.name])),
    [known],
  );

  const [selected, setSelected] = useState<Selection>(NONE);
  const [at, setAt] = useState<{ id: string; row: number }>();
  const anchor = useRef(-1);
  const current = at === undefined ? -1 : rows.indexOf(at.id);

  const select = useRef<(row: number, range: boolean) => void>(() => {});
  select.current = (row, range) => {
    const job = rows.at(row);
    if (job === undefined) return;
    if (!range || anchor.current < 0) setSelected((before) => withToggled(before, job));
    else {
      const [from, to] = [Math.min(anchor.current, row), Math.max(anchor.current, row)];
      void listed
        .range(from, Math.min(to, from + MOST_SELECTED - 1))
        .then((jobs) => setSelected((one) => withAll(one, jobs)));
    }
    anchor.current = row;
  };
  const onSelect = useCallback((row: number, range: boolean) => select.current(row, range), []);
  const selectAll = () => {
    if (selected.size > 0) setSelected(NONE);
    else if (total)
      void listed.range(0, Math.min(total, MOST_SELECTED) - 1).then((jobs) => setSelected(withAll(NONE, jobs)));
  };
  const clear = () => {
    setSelected(NONE);
    setAt(undefined);
    anchor.current = -1;
  };
  const move = (by: 1 | -1) => {
    const row = at === undefined ? 0 : (current >= 0 ? current : at.row) + by;
    const job = rows.at(Math.min(Math.max(row, 0), (total ?? 1) - 1));
    if (job !== undefined) setAt({ id: job.id, row });
  };
  useKeys({
    j: () => move(1),
    k: () => move(-1),
    x: (event) => current >= 0 && onSelect(current, event.shiftKey),
    X: () => current >= 0 && onSelect(current, true),
  });

  // what is told of a selected job: by its row, or as it was asked for last
  const selection = new Map(
    [...selected].map(([id, job]): [string, Job] => [
      id,
      rows.at(rows.indexOf(id)) ?? client.getQueryData(jobQuery(id).queryKey) ?? job,
    ]),
  );
  const empty = total === 0 && !listed.old;
  return (
    <Page
      title={words.title}
      heading={
        <>
          {words.title}
          {total !== undefined && total > 0 && (
            <span className="ml-2 font-normal text-body text-muted" title={words.total(format.count(total))}>
              {format.count(total)}
            </span>
          )}
        </>
      }
      actions={
        <>
          {!empty && (
            <a href={exportUrl(chosen)} download className={buttonLook('quiet')} title={words.csvTitle}>
              {words.csv}
            </a>
          )}
          {may('member') && (
            <Link to="/new" className={buttonLook('primary')}>
              {words.newJob}
            </Link>
          )}
        </>
      }
    >
      {(!empty || isFiltered(chosen)) && <Filters chosen={chosen} onChange={choose} datasets={datasets} wide={wide} />}
      {total === undefined && listed.error === null && <TableSkeleton />}
      {empty && (isFiltered(chosen) ? <NoneFound onClear={() => choose(withoutFilters(chosen))} /> : <NoJobs />)}
      {total !== undefined && !empty && (
        <JobTable
          listed={listed}
          chosen={chosen}
          wide={wide}
          selection={selection}
          current={current}
          datasets={datasets}
          onSelect={onSelect}
          onSelectAll={selectAll}
          onSort={(sort, descending) => choose(sortedBy(chosen, sort, descending, rows.at(0)))}
          onPages={setPages}
          onHeld={setHeld}
        />
      )}
      {/* below the rows, which stay where they are */}
      {listed.error !== null && (
        <div className="p-4">
          <Failure error={listed.error} onRetry={listed.retry} />
        </div>
      )}
      <SelectionBar
        selection={selection}
        mayCancel={[...selection.values()].every((job) => may('member', job.project_id))}
        onClear={clear}
      />
    </Page>
  );
}
