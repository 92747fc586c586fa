/** One upload: how far it is, how quick, what went wrong, and what can be done about it. */
import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { ApiError } from '~/api/client';
import { useFormat } from '~/format/format';
import { useNow } from '~/format/now';
import { useLanguage } from '~/i18n/language';
import { useWords } from '~/i18n/words';
import { Button, buttonLook } from '~/ui/Button';
import { Progress } from '~/ui/Progress';
import { ErrorText } from '~/ui/Told';
import { zipErrorInWords } from '../told';
import { uploads } from './queue';
import { secondsLeft } from './rate';
import { FileChanged } from './shapes';
import type { Uploader } from './uploader';
import { uploadWords } from './words';

export function UploadRow({ upload }: { upload: Uploader }) {
  const words = useWords(uploadWords);
  const { phase, sent, dataset, error } = upload.progress;
  const { name } = upload.wanted;
  const ended = phase === 'done' || phase === 'failed';
  return (
    <li className="flex flex-wrap items-start gap-x-3 gap-y-1 border-line border-t px-3 py-2 first:border-t-0">
      <div className="flex min-w-0 flex-1 basis-64 flex-col gap-1">
        <div className="flex flex-wrap items-baseline gap-x-2">
          <span className="font-strong">{name}</span>
          <span className="truncate text-muted text-small">{upload.source.fileName}</span>
        </div>
        {!ended && (
          <Progress value={phase === 'finishing' ? 1 : sent / upload.source.bytes} label={words.progressOf(name)} />
        )}
        <Standing upload={upload} />
        {phase === 'failed' && <Trouble error={error} />}
      </div>
      <div className="flex gap-2">
        {dataset !== null && (
          <Link to="/datasets/$datasetId" params={{ datasetId: dataset.id }} className={buttonLook()}>
            {words.open}
          </Link>
        )}
        <Deeds upload={upload} />
      </div>
    </li>
  );
}

function Standing({ upload }: { upload: Uploader }) {
  const words = useWords(uploadWords);
  const format = useFormat();
  const { phase, sent, rate, resumedAt, restarted, known, retryAt, error } = upload.progress;
  const all = format.bytes(upload.source.bytes);
  const parts: string[] = [];
  if (phase === 'queued') parts.push(words.queued);
  if (phase === 'sending') {
    parts.push(words.sending(format.bytes(sent), all));
    const left = secondsLeft(upload.source.bytes, sent, rate);
    if (rate !== null) parts.push(words.rate(format.bytes(rate)));
    if (left !== null) parts.push(words.left(format.duration(Math.ceil(left))));
  }
  if (phase === 'paused') parts.push(words.paused(format.bytes(sent), all));
  if (phase === 'finishing') parts.push(words.finishing);
  if (phase === 'done') parts.push(known ? words.known : words.done);
  return (
    <div className="text-muted text-small">
      {phase === 'waiting' ? <Waiting until={retryAt} error={error} /> : parts.join(' · ')}
      {resumedAt !== null && phase !== 'done' && <div>{words.resumed(format.bytes(resumedAt))}</div>}
      {restarted && <div>{words.restarted}</div>}
    </div>
  );
}

function Waiting({ until, error }: { until: number | null; error: unknown }) {
  const words = useWords(uploadWords);
  const seconds = Math.max(0, Math.ceil((until ?? 0) / 1000 - useNow()));
  const answered = error instanceof ApiError && error.status !== 0;
  if (answered)
    return (
      <>
        {words.waitingWhy(seconds)} <Told error={error} />
      </>
    );
  return <>{seconds > 0 ? words.waiting(seconds) : words.waitingNow}</>;
}

const isRefused = (error: unknown) => error instanceof ApiError && error.field === 'file';

/** What went wrong, and what to do. */
function Trouble({ error }: { error: unknown }) {
  const words = useWords(uploadWords);
  let text: ReactNode;
  if (error instanceof FileChanged) text = words.changed(error.message);
  else if (error instanceof ApiError && error.code === 'upload_gone') text = words.gone;
  else if (error instanceof ApiError && error.status === 401) text = words.signedOut;
  else if (isRefused(error))
    text = (
      <>
        {words.refusedZip} <Told error={error} />
      </>
    );
  else text = <Told error={error} />;
  return (
    <div role="alert" className="text-failed">
      {text}
    </div>
  );
}

/** The backend's words in the reader's language where there are some; its own are kept where there are none. */
export function Told({ error }: { error: unknown }) {
  const language = useLanguage();
  if (!(error instanceof ApiError)) return <ErrorText error={error} />;
  const { text, lang } = zipErrorInWords(error.message, language);
  if (lang === 'en') return <ErrorText error={error} />;
  return (
    <span>
      {text}
      <span lang="en" className="block text-muted text-small">
        {error.message}
      </span>
    </span>
  );
}

function Deeds({ upload }: { upload: Uploader }) {
  const words = useWords(uploadWords);
  const { phase, error } = upload.progress;
  const { name } = upload.wanted;
  // the same zip would be refused again
  const again = phase === 'paused' || (phase === 'failed' && !isRefused(error) && !(error instanceof FileChanged));
  return (
    <>
      {phase === 'waiting' && <Button onClick={() => upload.hurry()}>{words.tryNow}</Button>}
      {(phase === 'sending' || phase === 'waiting') && (
        <Sign name={words.pause(name)} path="M5.5 3v10M10.5 3v10" onClick={() => upload.pause()} />
      )}
      {again && (
        <Sign
          name={phase === 'paused' ? words.resume(name) : words.retry(name)}
          path={phase === 'paused' ? 'M5 3l8 5-8 5z' : 'M13 8a5 5 0 1 1-1.5-3.5M13 2v3h-3'}
          onClick={() => uploads.resume(upload)}
        />
      )}
      {(phase === 'done' || phase === 'failed') && (
        <Sign name={words.dismiss(name)} path="m4 4 8 8M12 4l-8 8" onClick={() => uploads.remove(upload)} />
      )}
      {phase !== 'done' && phase !== 'failed' && phase !== 'finishing' && (
        // once the zip is read, nothing holds it back: the dataset can be deleted
        <Sign name={words.cancel(name)} path="m4 4 8 8M12 4l-8 8" onClick={() => uploads.cancel(upload)} />
      )}
    </>
  );
}

function Sign({ name, path, onClick }: { name: string; path: string; onClick: () => void }) {
  return (
    <Button kind="quiet" aria-label={name} title={name} className="px-2" onClick={onClick}>
      <svg
        aria-hidden
        viewBox="0 0 16 16"
        className="size-4"
        fill="none"
        stroke="currentColor"
        strokeWidth="1.6"
        strokeLinecap="round"
        strokeLinejoin="round"
      >
        <path d={path} />
      </svg>
    </Button>
  );
}
