/** How much there is of each class, most first; a click shows its pictures. */
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { useFormat } from '~/format/format';
import { useWords } from '~/i18n/words';
import { Button } from '~/ui/Button';
import type { Report } from '../queries';
import { datasetWords } from '../words';
import { type Bar, bars, splitColour } from './figures';

const FIRST = 100;

export function Classes({ datasetId, report }: { datasetId: string; report: Report }) {
  const words = useWords(datasetWords);
  const format = useFormat();
  const [all, setAll] = useState(false);
  const found = bars(report);
  if (found.bars.length === 0) return null;
  const shown = all ? found.bars : found.bars.slice(0, FIRST);
  return (
    <section className="panel flex flex-col gap-2 p-3">
      <h2 className="m-0 flex items-baseline gap-2 text-body">
        {words.classes} <span className="font-normal text-muted">{format.count(found.bars.length)}</span>
        <span className="ml-auto font-normal text-muted text-small">{words.classesBy(found.what)}</span>
      </h2>
      <ul className="-mx-1 m-0 flex max-h-96 list-none flex-col overflow-auto p-0 px-1">
        {shown.map((bar) => (
          <li key={bar.id}>
            <ClassBar bar={bar} most={found.most} datasetId={datasetId} />
          </li>
        ))}
      </ul>
      {!all && found.bars.length > FIRST && (
        <Button onClick={() => setAll(true)}>{words.showAll(format.count(found.bars.length))}</Button>
      )}
    </section>
  );
}

function ClassBar({ bar, most, datasetId }: { bar: Bar; most: number; datasetId: string }) {
  const words = useWords(datasetWords);
  const format = useFormat();
  return (
    <Link
      to="/datasets/$datasetId"
      params={{ datasetId }}
      search={{ tab: 'pictures', label: bar.name }}
      title={words.classCount(bar.name, format.count(bar.total))}
      className="grid grid-cols-[minmax(0,1fr)_minmax(0,1fr)_3.5rem] items-center gap-2 rounded-field py-0.5 text-text no-underline hover:bg-sunken"
    >
      <span className="truncate">{bar.name}</span>
      <span className="flex h-2.5 gap-px overflow-hidden rounded-full">
        {bar.parts.map((part) => (
          <span
            key={part.split}
            className="min-w-px"
            style={{ width: `${(part.count / most) * 100}%`, background: splitColour(part.split) }}
          />
        ))}
      </span>
      <span className={`text-right ${bar.total === 0 ? 'text-failed' : ''}`}>{format.count(bar.total)}</span>
    </Link>
  );
}
