import type { Job, Schemas, State } from '~/api/client';
import { useFormat } from '~/format/format';
import { useWords } from '~/i18n/words';
import { reasonWords } from '~/ui/reasonWords';
import { StateMark } from '~/ui/StateMark';
import { taskWords } from '~/ui/taskWords';
import { tierWords } from '~/ui/tierWords';
import { bestPlace, change, type Row, type Section, type Value } from './table';
import { compareWords } from './words';

type Props = {
  section: Section['id'];
  row: Row;
  /** The column of the base. */
  base: number;
  /** The base. */
  job: Job;
};

export function TableRow({ section, row, base, job }: Props) {
  const words = useWords(compareWords);
  const name = row.fact === undefined ? row.name : words[row.fact === 'code' ? 'codeHash' : row.fact];
  const best = section === 'metrics' && row.name === job.best_metric ? bestPlace(row.values, job.best_mode) : null;
  return (
    <tr>
      <th
        scope="row"
        title={name}
        className={`sticky left-0 z-10 max-w-40 truncate border-line border-b bg-bg px-3 py-1.5 text-left font-normal text-muted wide:max-w-72 ${row.fact === undefined ? 'font-mono' : ''}`}
      >
        {name}
      </th>
      {row.values.map((value, place) => (
        <td
          // biome-ignore lint/suspicious/noArrayIndexKey: the column is what it is known by
          key={place}
          className={`border-line border-b border-l px-3 py-1.5 align-top ${!Object.is(value, row.values[base]) ? 'bg-accent-soft' : ''}`}
        >
          <span className="flex flex-wrap items-baseline gap-x-2">
            <Told row={row} section={section} value={value} />
            {place === best && (
              <span role="img" aria-label={words.bestOfAll} title={words.bestOfAll}>
                ★
              </span>
            )}
            {place !== base && <Change row={row} value={value} base={row.values[base] ?? null} />}
          </span>
        </td>
      ))}
    </tr>
  );
}

function Told({ row, section, value }: { row: Row; section: Section['id']; value: Value }) {
  const format = useFormat();
  const reasons = useWords(reasonWords);
  const tiers = useWords(tierWords);
  const tasks = useWords(taskWords);
  if (value === null) return <span className="text-muted">–</span>;
  if (section === 'metrics' && typeof value === 'number')
    return <span className="font-mono">{format.metric(value)}</span>;
  switch (row.fact) {
    case 'state':
      return <StateMark state={value as State} />;
    case 'reason':
      return <span>{reasons[value as Schemas['Reason']]}</span>;
    case 'tier':
      return <span>{tiers[value as Schemas['Execution']]}</span>;
    case 'task':
      return <span>{tasks[value as Schemas['Task']]}</span>;
    case 'seconds':
      return <span>{format.duration(Number(value))}</span>;
    default:
      return <span className={row.fact === undefined || row.fact === 'code' ? 'font-mono' : ''}>{String(value)}</span>;
  }
}

function Change({ row, value, base }: { row: Row; value: Value; base: Value }) {
  const format = useFormat();
  const by = change(value, base);
  if (by === null) return null;
  const size = row.fact === 'seconds' ? format.duration(Math.abs(by)) : format.metric(Math.abs(by));
  return (
    <span className="whitespace-nowrap text-muted text-small">
      {by > 0 ? '+' : '−'}
      {size}
    </span>
  );
}
