/** The whole log as a file. The route gives a MiB at once, so it is put together here, from parts that the browser
 * keeps outside of the page's memory. */
import { useRef, useState } from 'react';
import { PIECE, read } from './ranges';

/** All parts up to what is there now. Throws ApiError. */
export async function wholeLog(
  jobId: string,
  signal: AbortSignal,
  told: (bytes: number) => void,
  reader = read,
): Promise<Blob> {
  const parts: Blob[] = [];
  let size = 0;
  for (let at = 0; ; ) {
    const part = await reader(jobId, at, PIECE, signal);
    if (part.bytes.length > 0) parts.push(new Blob([part.bytes as Uint8Array<ArrayBuffer>]));
    size += part.bytes.length;
    told(size);
    if (part.complete || part.next <= at) return new Blob(parts, { type: 'text/plain;charset=utf-8' });
    at = part.next;
  }
}

export function save(blob: Blob, name: string): void {
  const address = URL.createObjectURL(blob);
  const link = document.createElement('a');
  link.href = address;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), 60_000);
}

/** `done`: bytes so far while it goes on, else null. */
export function useDownload(jobId: string, onError: (error: unknown) => void) {
  const [done, setDone] = useState<number | null>(null);
  const stopping = useRef<AbortController>(undefined);
  const begin = async () => {
    const stop = new AbortController();
    stopping.current = stop;
    setDone(0);
    try {
      save(await wholeLog(jobId, stop.signal, setDone), `${jobId}.log`);
    } catch (error) {
      if (!stop.signal.aborted) onError(error);
    } finally {
      setDone(null);
    }
  };
  return { done, begin, stop: () => stopping.current?.abort() };
}
