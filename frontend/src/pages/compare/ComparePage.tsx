/** Several runs beside each other: their curves, what they were told and reached, their pictures, their code. */
import { useQueries } from '@tanstack/react-query';
import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import { lazy, type ReactNode, Suspense, useId, useMemo, useState } from 'react';
import { ApiError } from '~/api/client';
import { jobQuery } from '~/api/queries';
import { useWords } from '~/i18n/words';
import { Button, buttonLook } from '~/ui/Button';
import { Page } from '~/ui/Page';
import { Empty, Failure, Skeleton } from '~/ui/Told';
import { type Compared, MOST, readCompared, withoutRun, writeCompared } from './chosen';
import { RunBar } from './RunBar';
import { isHere } from './runs';
import { compareWords } from './words';

const CurvesPart = lazy(() => import('./CurvesPart'));
const TablePart = lazy(() => import('./TablePart'));
const PicturesPart = lazy(() => import('./PicturesPart'));
const CodePart = lazy(() => import('./CodePart'));
const Picker = lazy(() => import('./Picker'));

export function ComparePage() {
  const words = useWords(compareWords);
  const navigate = useNavigate();
  const search = useSearch({ from: '/inside/compare' });
  const compared = useMemo(() => readCompared(search), [search]);
  const change = (next: Compared) =>
    void navigate({ to: '/compare', search: writeCompared(next), replace: true, resetScroll: false });
  const [picking, setPicking] = useState(false);
  const answers = useQueries({ queries: compared.ids.map((id) => jobQuery(id)) });
  const places = compared.ids.map((id, place) => ({ id, colour: place, job: answers[place]?.data }));
  const here = places.filter(isHere);
  // one that is gone is said so in its place; a backend that does not answer is something else
  const failed = answers.find(({ error }) => error !== null && !(error instanceof ApiError && error.status === 404));
  const base = here.find((place) => place.id === compared.base) ?? here[0];
  const pick = (
    <Button kind={here.length < 2 ? 'primary' : 'plain'} onClick={() => setPicking(true)}>
      {words.add}
    </Button>
  );
  return (
    <Page title={words.title} actions={compared.ids.length > 0 && pick}>
      {picking && (
        <Suspense>
          <Picker compared={compared} onChange={change} onClose={() => setPicking(false)} />
        </Suspense>
      )}
      {compared.ids.length === 0 && (
        <Empty
          title={words.emptyTitle}
          action={
            <div className="flex flex-wrap justify-center gap-2">
              {pick}
              <Link to="/" className={buttonLook()}>
                {words.toJobs}
              </Link>
            </div>
          }
        >
          {words.emptyText}
        </Empty>
      )}
      {compared.ids.length > 0 && answers.some((answer) => answer.isPending) && <Loading />}
      {compared.ids.length > 0 && !answers.some((answer) => answer.isPending) && (
        <>
          <RunBar
            places={failed === undefined ? places : here}
            base={base?.id ?? ''}
            onBase={(id) => change({ ...compared, base: id })}
            onRemove={(id) => change(withoutRun(compared, id))}
          />
          {failed !== undefined && (
            <div className="px-4 pt-3">
              <Failure
                error={failed.error}
                onRetry={() => {
                  for (const answer of answers) if (answer.isError) void answer.refetch();
                }}
              />
            </div>
          )}
          {here.length === 0 && failed === undefined && <Empty title={words.allLost} action={pick} />}
          {here.length === 1 && <p className="m-0 px-4 pt-3 text-muted">{words.onlyOne}</p>}
          {base !== undefined && (
            <>
              <Part title={words.curves}>
                <CurvesPart runs={here} base={base} />
              </Part>
              <Part title={words.table}>
                <TablePart runs={here} base={base} all={compared.all} onAll={(all) => change({ ...compared, all })} />
              </Part>
              <Part title={words.pictures}>
                <PicturesPart runs={here} epoch={compared.epoch} onEpoch={(epoch) => change({ ...compared, epoch })} />
              </Part>
              {here.length > 1 && (
                <Part title={words.code}>
                  <CodePart runs={here} base={base} />
                </Part>
              )}
            </>
          )}
        </>
      )}
      {compared.ids.length >= MOST && <p className="m-0 px-4 pb-4 text-muted">{words.full(MOST)}</p>}
    </Page>
  );
}

function Part({ title, children }: { title: string; children: ReactNode }) {
  const id = useId();
  return (
    <section aria-labelledby={id} className="flex min-w-0 flex-col gap-3 px-4 py-4">
      <h2 id={id} className="m-0 text-title">
        {title}
      </h2>
      <Suspense fallback={<Skeleton className="h-40 w-full" />}>{children}</Suspense>
    </section>
  );
}

function Loading() {
  const words = useWords(compareWords);
  return (
    <div role="status" aria-label={words.loading} className="flex flex-col gap-4 p-4">
      <Skeleton className="h-8 w-2/3" />
      <Skeleton className="h-56 w-full" />
      <Skeleton className="h-56 w-full" />
    </div>
  );
}
