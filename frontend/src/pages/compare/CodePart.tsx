/** Which code each run ran, against the base's. */
import { useQueries } from '@tanstack/react-query';
import { lazy, Suspense, useState } from 'react';
import { type CodeOf, codeOfQuery } from '~/diff/code';
import { useWords } from '~/i18n/words';
import { Failure, Skeleton } from '~/ui/Told';
import { Dot } from './Dot';
import { type Here, nameOf } from './runs';
import { compareWords } from './words';

const CodeDiff = lazy(() => import('~/diff/CodeDiff').then(({ CodeDiff }) => ({ default: CodeDiff })));

export default function CodePart({ runs, base }: { runs: Here[]; base: Here }) {
  const answers = useQueries({ queries: runs.map(({ job }) => codeOfQuery(job)) });
  const failed = answers.find((answer) => answer.isError);
  if (failed !== undefined) return <Failure error={failed.error} onRetry={() => void failed.refetch()} />;
  if (answers.some((answer) => answer.isPending)) return <Skeleton />;
  const before = answers[runs.indexOf(base)]?.data ?? null;
  return (
    <ul className="m-0 flex list-none flex-col gap-2 p-0">
      {runs.map((run, place) =>
        run === base ? null : (
          <li key={run.id}>
            <Against run={run} base={base} before={before} after={answers[place]?.data ?? null} />
          </li>
        ),
      )}
    </ul>
  );
}

type Sides = { run: Here; base: Here; before: CodeOf | null; after: CodeOf | null };

function Against({ run, base, before, after }: Sides) {
  const words = useWords(compareWords);
  const [open, setOpen] = useState(false);
  const differ = before !== null && after !== null && before.hash !== after.hash;
  if (!differ)
    return (
      <p className="m-0 flex flex-wrap items-center gap-2">
        <Dot place={run.colour} />
        <span className="min-w-0 truncate">{nameOf(run)}</span>
        <span className="text-muted">{before === null || after === null ? words.noCode : words.sameCode}</span>
      </p>
    );
  return (
    <details onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary className="flex items-center gap-2 py-1">
        <span aria-hidden className={`text-muted ${open ? 'rotate-90' : ''}`}>
          ▸
        </span>
        <Dot place={run.colour} />
        <span className="min-w-0 truncate font-strong">{words.codeOf(nameOf(run), nameOf(base))}</span>
      </summary>
      {open && (
        <div className="pt-2 pl-5">
          <Suspense fallback={<Skeleton />}>
            <CodeDiff before={before} after={after} />
          </Suspense>
        </div>
      )}
    </details>
  );
}
