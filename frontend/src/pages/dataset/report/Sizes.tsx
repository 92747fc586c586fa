import { useFormat } from '~/format/format';
import { useWords } from '~/i18n/words';
import type { Report } from '../queries';
import { datasetWords } from '../words';

/** How large the pictures are, and in which formats. */
export function Sizes({ report }: { report: Report }) {
  const words = useWords(datasetWords);
  const format = useFormat();
  const { sizes } = report;
  if (!sizes) return null;
  const rows = [
    [words.smallest, sizes.min],
    [words.middle, sizes.median],
    [words.largest, sizes.max],
  ] as const;
  return (
    <section className="panel flex flex-col gap-2 p-3">
      <h2 className="m-0 text-body">{words.sizes}</h2>
      <dl className="m-0 grid grid-cols-[auto_1fr] gap-x-4 gap-y-1">
        {rows.map(([name, [width, height]]) => (
          <div key={name} className="contents">
            <dt className="text-muted">{name}</dt>
            <dd className="m-0 text-right">{`${width ?? '–'} × ${height ?? '–'}`}</dd>
          </div>
        ))}
        <dt className="text-muted">{words.formats}</dt>
        <dd className="m-0 text-right">
          {Object.entries(report.formats)
            .map(([name, count]) => `${name} ${format.count(count)}`)
            .join(' · ')}
        </dd>
      </dl>
    </section>
  );
}
