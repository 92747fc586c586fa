/** What is wrong, kind by kind: how often, what to do, which files. */
import { Link } from '@tanstack/react-router';
import { useFormat } from '~/format/format';
import { useLanguage } from '~/i18n/language';
import { useWords } from '~/i18n/words';
import { problemInWords } from '~/pages/datasets/told';
import { VerdictIcon } from '~/pages/datasets/VerdictMark';
import { OF_PICTURES, problemWords, SAYS_MORE } from '../problemWords';
import type { Report } from '../queries';
import { datasetWords } from '../words';
import { type Gathered, gathered, type Problem } from './figures';

export function Problems({ datasetId, report }: { datasetId: string; report: Report }) {
  const words = useWords(datasetWords);
  const all = gathered(report.problems);
  const errors = all.filter((one) => one.severity === 'error');
  const warnings = all.filter((one) => one.severity === 'warning');
  return (
    <div className="flex min-w-0 flex-col gap-4">
      {errors.length > 0 && <Group title={words.errors} items={errors} datasetId={datasetId} />}
      {warnings.length > 0 && <Group title={words.warnings} items={warnings} datasetId={datasetId} />}
      {all.length === 0 && <p className="panel m-0 p-3 text-muted">{words.noProblems}</p>}
    </div>
  );
}

function Group({ title, items, datasetId }: { title: string; items: Gathered[]; datasetId: string }) {
  const format = useFormat();
  const count = items.reduce((all, one) => all + one.count, 0);
  return (
    <section className="panel">
      <h2 className="m-0 flex items-baseline gap-2 px-3 py-2 text-body">
        {title} <span className="font-normal text-muted">{format.count(count)}</span>
      </h2>
      <ul className="m-0 list-none p-0">
        {items.map((one) => (
          <Kind key={one.code} one={one} datasetId={datasetId} />
        ))}
      </ul>
    </section>
  );
}

function Kind({ one, datasetId }: { one: Gathered; datasetId: string }) {
  const words = useWords(datasetWords);
  const problems = useWords(problemWords);
  const format = useFormat();
  const files = one.found.flatMap((found) => found.files);
  return (
    <li className="flex gap-2 border-line border-t px-3 py-2">
      <VerdictIcon of={one.severity === 'error' ? 'errors' : 'warnings'} />
      <div className="flex min-w-0 flex-1 flex-col gap-0.5">
        <div className="flex items-baseline justify-between gap-2">
          <h3 className="m-0 text-body">{problems[one.code]}</h3>
          <span className="font-strong">{format.count(one.count)}</span>
        </div>
        {SAYS_MORE.has(one.code) ? <Messages found={one.found} /> : <Where found={one.found} />}
        <p className="m-0 text-muted">{problems[`${one.code}_do`]}</p>
        {OF_PICTURES.has(one.code) && (
          <Link
            to="/datasets/$datasetId"
            params={{ datasetId }}
            search={{ tab: 'pictures', problem: one.code }}
            className="self-start text-accent underline"
          >
            {words.showPictures}
          </Link>
        )}
        {files.length > 0 && <Files files={files} count={one.count} />}
      </div>
    </li>
  );
}

function Files({ files, count }: { files: string[]; count: number }) {
  const words = useWords(datasetWords);
  const format = useFormat();
  return (
    <details>
      <summary className="text-muted">{words.files}</summary>
      <ul aria-label={words.files} className="m-0 list-none p-0 py-1 font-mono text-small">
        {[...new Set(files)].map((file) => (
          <li key={file}>{file}</li>
        ))}
      </ul>
      {count > files.length && (
        <p className="m-0 text-muted text-small">{words.filesMore(files.length, format.count(count))}</p>
      )}
    </details>
  );
}

/** The sentences of those that name classes. */
function Messages({ found }: { found: Problem[] }) {
  const language = useLanguage();
  return found.map((one) => {
    const told = problemInWords(one.message, language);
    return (
      <p key={one.split} lang={told.lang} className="m-0 text-small">
        {told.text}
      </p>
    );
  });
}

function Where({ found }: { found: Problem[] }) {
  const format = useFormat();
  const places = found.filter((one) => one.split !== null);
  if (places.length === 0) return null;
  return (
    <p className="m-0 text-muted text-small">
      {places.map((one) => `${one.split} ${format.count(one.count)}`).join(' · ')}
    </p>
  );
}
