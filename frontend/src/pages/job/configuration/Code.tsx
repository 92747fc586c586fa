/** The code that a run was started with: its files, one of them, or what differs from another job's. */
import { useQuery } from '@tanstack/react-query';
import { lazy, Suspense, useState } from 'react';
import type { Job } from '~/api/client';
import { type CodeOf, codeFileQuery, codeOfQuery, codeQuery } from '~/diff/code';
import { useFormat } from '~/format/format';
import { useWords } from '~/i18n/words';
import { Button } from '~/ui/Button';
import { Failure, Skeleton } from '~/ui/Told';
import { Section } from './Facts';
import { configurationWords } from './words';

const CodeDiff = lazy(() => import('~/diff/CodeDiff').then((it) => ({ default: it.CodeDiff })));
const JobPicker = lazy(() => import('./JobPicker'));
const MOST_LINES = 5_000;
const MAIN = 'train.py';

/** `hash` is undefined while nobody has asked for it yet. */
export function Code({ job, hash }: { job: Job; hash: string | null | undefined }) {
  const words = useWords(configurationWords);
  const code: CodeOf | null = hash ? { hash, job: job.id } : null;
  const [picking, setPicking] = useState(false);
  const [other, setOther] = useState<Job | null>(null);
  return (
    <Section
      title={other === null ? words.codeTitle : words.compared(other.name)}
      extra={
        <>
          {other !== null && <Button onClick={() => setOther(null)}>{words.stopComparing}</Button>}
          {code && <Button onClick={() => setPicking(true)}>{words.compare}</Button>}
        </>
      }
    >
      {hash === undefined && <Loading />}
      {hash === null && <None />}
      {code && other === null && <Bundle code={code} />}
      {code && other !== null && <Changes before={other} after={code} />}
      {picking && (
        <Suspense>
          <JobPicker
            job={job}
            onClose={() => setPicking(false)}
            onPick={(picked) => {
              setOther(picked);
              setPicking(false);
            }}
          />
        </Suspense>
      )}
    </Section>
  );
}

function Loading() {
  return (
    <div className="p-3">
      <Skeleton className="h-24 w-full" />
    </div>
  );
}

function None() {
  const words = useWords(configurationWords);
  return (
    <p className="m-0 p-3 text-muted">
      {words.noCode} {words.noCodeHelp}
    </p>
  );
}

function Changes({ before, after }: { before: Job; after: CodeOf }) {
  const theirs = useQuery(codeOfQuery(before));
  if (theirs.isError)
    return (
      <div className="p-3">
        <Failure error={theirs.error} onRetry={() => void theirs.refetch()} />
      </div>
    );
  if (theirs.data === undefined) return <Loading />;
  return (
    <div className="p-3">
      <Suspense fallback={<Skeleton className="h-24 w-full" />}>
        <CodeDiff before={theirs.data} after={after} />
      </Suspense>
    </div>
  );
}

function Bundle({ code }: { code: CodeOf }) {
  const words = useWords(configurationWords);
  const format = useFormat();
  const { data, error, refetch } = useQuery(codeQuery(code));
  const [picked, setPicked] = useState<string | null>(null);
  if (error !== null)
    return (
      <div className="p-3">
        <Failure error={error} onRetry={() => void refetch()} />
      </div>
    );
  if (data === undefined) return <Loading />;
  if (data === null) return <None />;
  const chosen = picked ?? data.files.find(({ path }) => path === MAIN)?.path ?? null;
  return (
    <div className="grid min-w-0 desk:grid-cols-[minmax(12rem,20rem)_minmax(0,1fr)]">
      <div className="min-w-0 border-line max-desk:border-b desk:border-r">
        <p className="m-0 px-3 py-1.5 text-muted text-small">
          {words.bundle(format.count(data.files.length), format.bytes(data.bytes))}
        </p>
        <ul aria-label={words.files} className="m-0 max-h-[28rem] list-none overflow-auto p-1 pt-0">
          {data.files.map(({ path, bytes, executable }) => (
            <li key={path}>
              <button
                type="button"
                aria-pressed={path === chosen}
                className={`flex w-full min-w-0 items-baseline gap-2 rounded-field border-0 px-2 py-1 text-left ${path === chosen ? 'bg-accent-soft' : 'bg-transparent hover:bg-sunken'}`}
                onClick={() => setPicked(path)}
              >
                <span className="min-w-0 flex-1 truncate font-mono" title={path}>
                  {path}
                </span>
                {executable && <span className="shrink-0 text-muted text-small">{words.executable}</span>}
                <span className="shrink-0 text-muted text-small">{format.bytes(bytes)}</span>
              </button>
            </li>
          ))}
        </ul>
      </div>
      {chosen === null ? (
        <p className="m-0 p-6 text-center text-muted">{words.choose}</p>
      ) : (
        <CodeText key={chosen} code={code} path={chosen} />
      )}
    </div>
  );
}

function CodeText({ code, path }: { code: CodeOf; path: string }) {
  const words = useWords(configurationWords);
  const format = useFormat();
  const { data, error, refetch } = useQuery(codeFileQuery(code, path));
  if (error !== null)
    return (
      <div className="p-3">
        <Failure error={error} onRetry={() => void refetch()} />
      </div>
    );
  if (data === undefined) return <Loading />;
  if (data === null) return <p className="m-0 p-6 text-center text-muted">{words.unreadable}</p>;
  const lines = data.replace(/\n$/, '').split('\n');
  const shown = lines.slice(0, MOST_LINES);
  return (
    <section
      aria-label={path}
      // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, so the keyboard has to get at it
      tabIndex={0}
      className="max-h-[36rem] min-w-0 overflow-auto py-2 font-mono text-small"
    >
      <div className="grid w-max min-w-full grid-cols-[auto_1fr]">
        <pre aria-hidden className="m-0 select-none px-3 text-right font-mono text-muted">
          {shown.map((_, n) => n + 1).join('\n')}
        </pre>
        <pre className="m-0 pr-3 font-mono">{shown.join('\n')}</pre>
      </div>
      {shown.length < lines.length && (
        <p className="m-0 px-3 pt-2 text-muted">{words.firstLines(format.count(MOST_LINES))}</p>
      )}
    </section>
  );
}
