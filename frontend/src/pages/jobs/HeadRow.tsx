/** The head of the list: a click on a name sorts by it, then the other way round, then not any more. */
import { useWords } from '~/i18n/words';
import { type Chosen, descends } from './chosen';
import { COLUMNS, type Column, GRID } from './columns';
import { HeadCell, Row } from './Grid';
import { MOST_SELECTED } from './selection';
import { jobsWords } from './words';

type Props = {
  chosen: Chosen;
  onSort: (sort: Chosen['sort'], descending: boolean) => void;
  selected: number;
  total: number;
  onSelectAll: () => void;
};

export function HeadRow({ chosen, onSort, selected, total, onSelectAll }: Props) {
  const words = useWords(jobsWords);
  const all = total > 0 && selected >= Math.min(total, MOST_SELECTED);
  return (
    <Row
      aria-rowindex={1}
      className={`sticky top-0 z-10 h-8 border-line border-b bg-raised text-muted text-small ${GRID}`}
    >
      <HeadCell>
        <label className="-m-2 flex items-center p-2">
          <input
            type="checkbox"
            className="size-4 accent-(--accent)"
            aria-label={words.selectAll(MOST_SELECTED)}
            title={words.selectAll(MOST_SELECTED)}
            checked={all}
            ref={(box) => {
              if (box !== null) box.indeterminate = selected > 0 && !all;
            }}
            onChange={onSelectAll}
          />
        </label>
      </HeadCell>
      {COLUMNS.map((column) => (
        <Head key={column.name} column={column} chosen={chosen} onSort={onSort} />
      ))}
    </Row>
  );
}

function Head({ column, chosen, onSort }: { column: Column } & Pick<Props, 'chosen' | 'onSort'>) {
  const words = useWords(jobsWords);
  const { sort, name } = column;
  const title = name === 'metric' && chosen.metric !== '' ? chosen.metric : words[name];
  const place = `min-w-0 ${column.number ? 'text-right' : ''} ${column.desk ? 'hidden desk:block' : ''}`;
  if (sort === undefined) return <HeadCell className={`truncate ${place}`}>{title}</HeadCell>;
  const sorted = chosen.sort === sort;
  const next = () => {
    if (!sorted) onSort(sort, descends(sort));
    else if (chosen.descending === descends(sort)) onSort(sort, !chosen.descending);
    else onSort('created', true);
  };
  return (
    <HeadCell aria-sort={sorted ? (chosen.descending ? 'descending' : 'ascending') : undefined} className={place}>
      <button
        type="button"
        onClick={next}
        title={title}
        className={`max-w-full truncate rounded-field border-0 bg-transparent p-0 text-inherit hover:text-text ${sorted ? 'font-strong text-text' : ''}`}
      >
        {title}
        {sorted && <span aria-hidden>{chosen.descending ? ' ↓' : ' ↑'}</span>}
      </button>
    </HeadCell>
  );
}
