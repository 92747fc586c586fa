/** Shows each picture to the checkpoint, one after the other, and anew when the checkpoint is another one. */
import { useEffect, useState } from 'react';
import { ApiError, api, ask } from '~/api/client';
import { isOfPicture, LEAST, plainName, type Seen, seenOf } from './findings';
import type { Picture } from './usePictures';

export type Result = { model: string; at: number } & (
  | { kind: 'seen'; seen: Seen }
  | { kind: 'refused'; error: unknown }
);

const AGAIN_MS = 2_000;

/** `model`: which checkpoint of which job, and how often it was tried. */
export function usePredictions(jobId: string, checkpoint: string, pictures: readonly Picture[]) {
  const [tries, setTries] = useState(0);
  const [results, setResults] = useState<Record<number, Result>>({});
  const [failure, setFailure] = useState<{ model: string; error: unknown } | null>(null);
  const [preparing, setPreparing] = useState<string | null>(null);
  const model = `${jobId} ${checkpoint} ${tries}`;
  const next = jobId === '' ? undefined : pictures.find((one) => results[one.id]?.model !== model);
  const failed = failure?.model === model ? failure.error : null;
  const going = next !== undefined && failed === null ? next : undefined;

  useEffect(() => {
    if (going === undefined) return;
    const stop = new AbortController();
    const put = (
      result: Pick<Extract<Result, { kind: 'seen' }>, 'kind' | 'seen'> | { kind: 'refused'; error: unknown },
    ) => setResults((now) => ({ ...now, [going.id]: { ...result, model, at: Date.now() } }));
    look(jobId, checkpoint, going, stop.signal, setPreparing)
      .then((seen) => put({ kind: 'seen', seen }))
      .catch((error: unknown) => {
        if (stop.signal.aborted) return;
        if (isOfPicture(error)) put({ kind: 'refused', error });
        else setFailure({ model, error });
      })
      .finally(() => setPreparing(null));
    return () => stop.abort();
  }, [going, jobId, checkpoint, model]);

  return {
    /** What is known of a picture from this very checkpoint. */
    of: (id: number): Result | null => {
      const found = results[id];
      return found?.model === model ? found : null;
    },
    looking: going?.id ?? null,
    preparing,
    failed,
    again: () => setTries((count) => count + 1),
  };
}

async function look(
  jobId: string,
  checkpoint: string,
  picture: Picture,
  signal: AbortSignal,
  say: (message: string) => void,
): Promise<Seen> {
  const data = await base64Of(picture.file);
  for (;;) {
    signal.throwIfAborted();
    try {
      const answer = await ask(
        api.POST('/v1/jobs/{job_id}/predict', {
          params: { path: { job_id: jobId } },
          body: {
            pictures: [{ name: plainName(picture.name), data }],
            confidence: LEAST,
            checkpoint: checkpoint === '' ? null : checkpoint,
            overlay: false,
          },
          signal,
        }),
      );
      return seenOf(answer);
    } catch (error) {
      // its packages are being installed: nobody waits for minutes in one request
      if (!(error instanceof ApiError) || error.code !== 'preparing') throw error;
      say(error.message);
    }
    await pause(AGAIN_MS, signal);
  }
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener('abort', () => {
      clearTimeout(timer);
      resolve();
    });
  });
}

function base64Of(file: File): Promise<string> {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => {
      const url = String(reader.result);
      resolve(url.slice(url.indexOf(',') + 1));
    };
    reader.onerror = () => reject(reader.error ?? new Error(file.name));
    reader.readAsDataURL(file);
  });
}
