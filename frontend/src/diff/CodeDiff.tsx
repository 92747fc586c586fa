/** The code of two jobs: which files differ, and where. */
import { useQueries, useQuery } from '@tanstack/react-query';
import { useMemo } from 'react';
import { useFormat } from '~/format/format';
import { useWords } from '~/i18n/words';
import { Failure, Skeleton } from '~/ui/Told';
import { type CodeOf, codeFileQuery, codeQuery } from './code';
import { type Pair, paired } from './files';
import { countChanges, diffLines, linesOf } from './lines';
import { TextDiff } from './TextDiff';
import { diffWords } from './words';

/** null: no code was kept. */
export function CodeDiff({ before, after }: { before: CodeOf | null; after: CodeOf | null }) {
  const words = useWords(diffWords);
  if (before === null || after === null) return <p className="m-0 text-muted">{words.noCode}</p>;
  if (before.hash === after.hash) return <p className="m-0 text-muted">{words.sameCode}</p>;
  return <Bundles before={before} after={after} />;
}

function Bundles({ before, after }: { before: CodeOf; after: CodeOf }) {
  const words = useWords(diffWords);
  const ours = useQuery(codeQuery(before));
  const theirs = useQuery(codeQuery(after));
  const failed = [ours, theirs].find((one) => one.isError);
  if (failed !== undefined) return <Failure error={failed.error} onRetry={() => void failed.refetch()} />;
  if (ours.data === undefined || theirs.data === undefined) return <Loading />;
  if (ours.data === null || theirs.data === null) return <p className="m-0 text-muted">{words.noCode}</p>;
  return <Files before={before} after={after} pairs={paired(ours.data.files, theirs.data.files)} />;
}

function Loading() {
  const words = useWords(diffWords);
  return (
    <div role="status" aria-label={words.loading} className="flex flex-col gap-2">
      <Skeleton />
      <Skeleton />
    </div>
  );
}

/** A list of files says their sizes only: whether they differ is seen in them. */
function Files({ before, after, pairs }: { before: CodeOf; after: CodeOf; pairs: Pair[] }) {
  const words = useWords(diffWords);
  const format = useFormat();
  const asked = (code: CodeOf, side: 'before' | 'after') =>
    pairs.map((pair) => ({ ...codeFileQuery(code, pair.path), enabled: pair[side] !== null }));
  const ours = useQueries({ queries: asked(before, 'before') });
  const theirs = useQueries({ queries: asked(after, 'after') });
  const failed = [...ours, ...theirs].find((one) => one.isError);
  if (failed !== undefined) return <Failure error={failed.error} onRetry={() => void failed.refetch()} />;
  const read = pairs.map((pair, place) => ({
    pair,
    before: pair.before === null ? '' : ours[place]?.data,
    after: pair.after === null ? '' : theirs[place]?.data,
  }));
  if (read.some((one) => one.before === undefined || one.after === undefined)) return <Loading />;
  const differ = read.filter(
    ({ pair, before: ours, after: theirs }) => ours !== theirs || pair.before?.bytes !== pair.after?.bytes,
  );
  return (
    <div className="flex flex-col gap-2">
      <p className="m-0 text-muted">
        {words.changedFiles(format.count(differ.length), format.count(read.length - differ.length))}
      </p>
      {differ.map((one) => (
        <OneFile key={one.pair.path} pair={one.pair} before={one.before ?? null} after={one.after ?? null} />
      ))}
    </div>
  );
}

function OneFile({ pair, before, after }: { pair: Pair; before: string | null; after: string | null }) {
  const words = useWords(diffWords);
  const format = useFormat();
  const count = useMemo(
    () => (before === null || after === null ? null : countChanges(diffLines(linesOf(before), linesOf(after)))),
    [before, after],
  );
  return (
    <details className="panel overflow-hidden">
      <summary className="flex items-center gap-3 bg-raised px-3 py-1.5">
        <span aria-hidden className="text-muted">
          ▸
        </span>
        <span className="min-w-0 truncate font-mono">{pair.path}</span>
        {pair.before === null && <span className="shrink-0 text-muted">{words.added}</span>}
        {pair.after === null && <span className="shrink-0 text-muted">{words.removed}</span>}
        {count !== null && (
          <span
            role="img"
            aria-label={words.lines(format.count(count.in), format.count(count.out))}
            className="ml-auto shrink-0 font-mono"
          >
            <span className="text-succeeded">+{count.in}</span> <span className="text-failed">−{count.out}</span>
          </span>
        )}
      </summary>
      {before === null || after === null ? (
        <p className="m-0 p-3 text-muted">{words.binary}</p>
      ) : (
        <TextDiff before={before} after={after} label={pair.path} />
      )}
    </details>
  );
}
