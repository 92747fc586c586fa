/** What each run was, was told, and reached; differences from the base are told beside. */
import { useQueries } from '@tanstack/react-query';
import { surroundingsQuery } from '~/diff/code';
import { useWords } from '~/i18n/words';
import { Check } from '~/ui/Check';
import { Dot } from './Dot';
import { type Here, nameOf } from './runs';
import { Scroller } from './Scroller';
import { TableRow } from './TableRow';
import { sections } from './table';
import { compareWords } from './words';

type Props = { runs: Here[]; base: Here; all: boolean; onAll: (all: boolean) => void };

export default function TablePart({ runs, base, all, onAll }: Props) {
  const words = useWords(compareWords);
  const around = useQueries({ queries: runs.map((run) => surroundingsQuery(run.id)) });
  const told = sections(runs.map(({ job }, place) => ({ job, around: around[place]?.data ?? null })));
  const alone = runs.length === 1;
  const shown = told
    .map((section) => ({ ...section, rows: section.rows.filter((row) => all || alone || row.differs) }))
    .filter(({ rows }) => rows.length > 0);
  const at = runs.indexOf(base);
  return (
    <>
      {!alone && <Check label={words.onlyDifferences} on={!all} onChange={(only) => onAll(!only)} />}
      {shown.length === 0 ? (
        <p className="m-0 text-muted">{words.noDifferences}</p>
      ) : (
        <Scroller label={words.table} className="panel max-h-[75dvh]">
          <table className="w-full border-separate border-spacing-0">
            <thead>
              <tr>
                <th
                  scope="col"
                  className="sticky top-0 left-0 z-20 min-w-28 border-line border-b bg-raised px-3 py-2 text-left font-normal text-muted wide:min-w-44"
                >
                  {words.name}
                </th>
                {runs.map((run) => (
                  <th
                    key={run.id}
                    scope="col"
                    className="sticky top-0 z-10 min-w-32 border-line border-b border-l bg-raised px-3 py-2 text-left font-strong"
                  >
                    <span className="flex max-w-56 items-center gap-2" title={nameOf(run)}>
                      <Dot place={run.colour} />
                      <span className="truncate">{nameOf(run)}</span>
                      {run === base && !alone && (
                        <span className="shrink-0 rounded-field bg-accent-soft px-1.5 font-normal text-small">
                          {words.base}
                        </span>
                      )}
                    </span>
                  </th>
                ))}
              </tr>
            </thead>
            {shown.map(({ id, rows }) => (
              <tbody key={id}>
                <tr>
                  <th
                    scope="colgroup"
                    colSpan={runs.length + 1}
                    className="border-line border-b bg-sunken px-3 py-1 text-left font-strong text-muted text-small"
                  >
                    <span className="sticky left-3">{words[id]}</span>
                  </th>
                </tr>
                {rows.map((row) => (
                  <TableRow key={row.key} section={id} row={row} base={at} job={base.job} />
                ))}
              </tbody>
            ))}
          </table>
        </Scroller>
      )}
    </>
  );
}
