/** The three things a place can say when it has nothing to show: it comes, there is none, or it went wrong. */
import type { ReactNode } from 'react';
import { ApiError } from '~/api/client';
import { useLanguage } from '~/i18n/language';
import { useWords } from '~/i18n/words';
import { Button } from './Button';
import { Rich } from './Rich';
import { toldWords } from './toldWords';

/** What this is, and the one next step. */
export function Empty({ title, children, action }: { title: ReactNode; children?: ReactNode; action?: ReactNode }) {
  return (
    <div className="mx-auto flex max-w-md flex-col items-center gap-3 px-4 py-16 text-center">
      <h2 className="m-0 text-title">{title}</h2>
      {children && <div className="text-muted">{children}</div>}
      {action}
    </div>
  );
}

/** What happened, why, and trying again. */
export function Failure({ error, onRetry }: { error: unknown; onRetry?: () => void }) {
  const words = useWords(toldWords);
  return (
    <div role="alert" className="panel flex flex-wrap items-center gap-3 border-failed bg-failed-soft p-3">
      <div className="min-w-0 flex-1">
        <ErrorText error={error} />
      </div>
      {onRetry && <Button onClick={onRetry}>{words.again}</Button>}
    </div>
  );
}

/** The sentence for an error. The backend's own words are English: in Korean they follow ours. */
export function ErrorText({ error }: { error: unknown }) {
  const words = useWords(toldWords);
  const korean = useLanguage() === 'ko';
  if (!(error instanceof ApiError)) return <>{words.broken(error instanceof Error ? error.message : String(error))}</>;
  const ours = wordsFor(error, words);
  const theirs = [error.message, error.hint].filter(Boolean).join(' ');
  if (error.status === 0 || theirs === '') return <Rich text={ours} />;
  if (!korean) return <>{theirs}</>;
  return (
    <>
      <Rich text={ours} />{' '}
      <span lang="en" className="block text-muted text-small">
        {theirs}
      </span>
    </>
  );
}

function wordsFor(error: ApiError, words: (typeof toldWords)['en']): string {
  if (error.status === 0) return words.unreachable;
  if (error.status === 401) return words.unauthorized;
  if (error.status === 403) return words.forbidden;
  if (error.status === 404) return words.missing;
  if (error.status === 409) return words.conflict;
  if (error.status === 413) return words.tooLarge;
  if (error.status === 429) return words.tooMany;
  if (error.status >= 500) return words.unavailable;
  return words.invalid;
}

/** The shape of what comes: as high as it will be, so that nothing jumps. */
export function Skeleton({ className = 'h-5 w-full' }: { className?: string }) {
  return <div aria-hidden className={`animate-pulse rounded-field bg-sunken ${className}`} />;
}
