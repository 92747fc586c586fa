/** How the pictures are shared out, as one bar, and what is in each split. */
import { useFormat } from '~/format/format';
import { useWords } from '~/i18n/words';
import type { Report } from '../queries';
import { datasetWords } from '../words';
import { splitColour } from './figures';

const HEAD = 'py-1 font-normal text-muted text-small';
const CELL = 'py-1 pl-2 text-right';

export function Splits({ report }: { report: Report }) {
  const words = useWords(datasetWords);
  const format = useFormat();
  const splits = Object.entries(report.splits);
  if (splits.length === 0) return null;
  const hasBoxes = splits.some(([, one]) => one.boxes > 0);
  return (
    <section className="panel flex flex-col gap-2 p-3">
      <h2 className="m-0 text-body">{words.splits}</h2>
      <div aria-hidden className="flex h-3 gap-px overflow-hidden rounded-full bg-sunken">
        {splits.map(([split, one]) => (
          <div key={split} style={{ width: `${one.share * 100}%`, background: splitColour(split) }} />
        ))}
      </div>
      <table className="w-full border-collapse">
        <thead>
          <tr>
            <th className={`${HEAD} text-left`}>{words.split}</th>
            <th className={`${HEAD} pl-2 text-right`}>{words.share}</th>
            <th className={`${HEAD} pl-2 text-right`}>{words.pictures}</th>
            <th className={`${HEAD} pl-2 text-right`}>{words.labelled}</th>
            <th className={`${HEAD} pl-2 text-right`}>{words.emptyOnes}</th>
            {hasBoxes && <th className={`${HEAD} pl-2 text-right`}>{words.boxes}</th>}
          </tr>
        </thead>
        <tbody>
          {splits.map(([split, one]) => (
            <tr key={split} className="border-line border-t">
              <th scope="row" className="py-1 text-left font-strong">
                <span
                  aria-hidden
                  className="mr-1.5 inline-block size-2.5 rounded-full"
                  style={{ background: splitColour(split) }}
                />
                {split}
              </th>
              <td className={CELL}>{format.share(one.share)}</td>
              <td className={CELL}>{format.count(one.pictures)}</td>
              <td className={CELL}>{format.count(one.labelled)}</td>
              <td className={CELL}>{format.count(one.empty)}</td>
              {hasBoxes && <td className={CELL}>{format.count(one.boxes)}</td>}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
