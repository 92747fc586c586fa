/** The list: a row a name, older versions behind it. On a phone the figures stand below the name. */
import { Link } from '@tanstack/react-router';
import { Fragment, useState } from 'react';
import type { Dataset } from '~/api/client';
import { useFormat } from '~/format/format';
import { useWords } from '~/i18n/words';
import { Ago } from '~/ui/Time';
import { taskWords } from '~/ui/taskWords';
import { facts, type Group } from './grouping';
import { VerdictMark } from './VerdictMark';
import { datasetsWords } from './words';

const HEAD = 'px-3 py-2 text-left font-normal text-muted text-small';
const CELL = 'px-3 py-2 align-top';
const WIDE = 'hidden wide:table-cell';
const DESK = 'hidden desk:table-cell';

export function DatasetTable({ groups }: { groups: readonly Group[] }) {
  const words = useWords(datasetsWords);
  const [open, setOpen] = useState<ReadonlySet<string>>(new Set());
  const toggle = (key: string) => setOpen((now) => (now.has(key) ? without(now, key) : new Set([...now, key])));
  return (
    <table className="w-full table-fixed border-collapse">
      <thead className="border-line border-b">
        <tr>
          <th className={`${HEAD} w-[55%] wide:w-auto`}>{words.name}</th>
          <th className={`${HEAD} ${WIDE} w-24 text-right`}>{words.pictures}</th>
          <th className={`${HEAD} ${DESK} w-20 text-right`}>{words.classes}</th>
          <th className={`${HEAD} ${WIDE} w-24 text-right`}>{words.size}</th>
          <th className={`${HEAD} wide:w-60 desk:w-80`}>{words.check}</th>
          <th className={`${HEAD} ${WIDE} w-16 text-right`}>{words.jobs}</th>
          <th className={`${HEAD} ${DESK} w-32`}>{words.created}</th>
        </tr>
      </thead>
      <tbody>
        {groups.map(({ key, newest, older }) => (
          <Fragment key={key}>
            <Row dataset={newest} older={older.length} open={open.has(key)} onToggle={() => toggle(key)} />
            {open.has(key) && older.map((one) => <Row key={one.id} dataset={one} isOlder />)}
          </Fragment>
        ))}
      </tbody>
    </table>
  );
}

function without(keys: ReadonlySet<string>, key: string): Set<string> {
  return new Set([...keys].filter((one) => one !== key));
}

function Row(props: { dataset: Dataset; isOlder?: boolean; older?: number; open?: boolean; onToggle?: () => void }) {
  const { dataset, older = 0 } = props;
  const words = useWords(datasetsWords);
  const format = useFormat();
  const { pictures, classes } = facts(dataset);
  const count = pictures === null ? '–' : format.count(pictures);
  return (
    <tr className={`border-line border-b hover:bg-raised ${props.isOlder ? 'bg-raised text-muted' : ''}`}>
      <td className={`${CELL} ${props.isOlder ? 'pl-8' : ''}`}>
        <Name dataset={dataset} />
        <div className="text-muted text-small wide:hidden">{words.picturesOf(count, format.bytes(dataset.bytes))}</div>
        {older > 0 && (
          <button
            type="button"
            aria-expanded={props.open}
            onClick={props.onToggle}
            className="border-0 bg-transparent p-0 py-0.5 text-muted text-small underline"
          >
            {props.open ? words.olderHide : words.olderShow(older)}
          </button>
        )}
      </td>
      <td className={`${CELL} ${WIDE} text-right`}>{count}</td>
      <td className={`${CELL} ${DESK} text-right`}>{classes.length === 0 ? '–' : format.count(classes.length)}</td>
      <td className={`${CELL} ${WIDE} text-right`}>{format.bytes(dataset.bytes)}</td>
      <td className={CELL}>
        <VerdictMark dataset={dataset} />
      </td>
      <td className={`${CELL} ${WIDE} text-right`}>
        {dataset.jobs === 0 ? (
          '0'
        ) : (
          <Link to="/" search={{ dataset: dataset.id }} aria-label={words.jobsOn(format.count(dataset.jobs))}>
            {format.count(dataset.jobs)}
          </Link>
        )}
      </td>
      <td className={`${CELL} ${DESK} text-muted`}>
        <Ago at={dataset.created_at} />
      </td>
    </tr>
  );
}

/** In two lines, as the check beside it. */
function Name({ dataset }: { dataset: Dataset }) {
  const tasks = useWords(taskWords);
  return (
    <div className="flex min-w-0 flex-col">
      <Link
        to="/datasets/$datasetId"
        params={{ datasetId: dataset.id }}
        className="truncate font-strong text-text no-underline hover:underline"
        title={dataset.name}
      >
        {dataset.name}
      </Link>
      <span className="truncate text-muted text-small">
        {`v${dataset.version} · ${dataset.tasks.map((task) => tasks[task]).join(', ')}`}
      </span>
    </div>
  );
}
