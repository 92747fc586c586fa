/** All uploads of this tab: one is sent at a time, whatever page is shown. */
import { useSyncExternalStore } from 'react';
import { queryClient } from '~/api/queries';
import type { Source, Transport, Wanted } from './shapes';
import { transport } from './transport';
import { Uploader } from './uploader';

const ACTIVE = new Set(['sending', 'waiting', 'finishing']);

export class Queue {
  private uploads: Uploader[] = [];
  private shown: readonly Uploader[] = [];
  private next = 1;
  private readonly listeners = new Set<() => void>();

  constructor(
    private readonly transport: Transport,
    private readonly finished: () => void,
  ) {}

  add(source: Source, wanted: Wanted): void {
    this.uploads.push(new Uploader(this.next++, source, wanted, this.transport, () => this.changed()));
    this.changed();
    this.pump();
  }

  resume(upload: Uploader): void {
    upload.resume();
    this.pump();
  }

  cancel(upload: Uploader): void {
    upload.cancel();
    this.remove(upload);
  }

  /** Out of sight: it has ended. */
  remove(upload: Uploader): void {
    this.uploads = this.uploads.filter((one) => one !== upload);
    this.changed();
    this.pump();
  }

  list(): readonly Uploader[] {
    return this.shown;
  }

  get busy(): boolean {
    return this.uploads.some((one) => ACTIVE.has(one.progress.phase) || one.progress.phase === 'queued');
  }

  hurry(): void {
    for (const one of this.uploads) one.hurry();
  }

  subscribe(tell: () => void): () => void {
    this.listeners.add(tell);
    return () => this.listeners.delete(tell);
  }

  private pump(): void {
    if (this.uploads.some((one) => ACTIVE.has(one.progress.phase))) return;
    const first = this.uploads.find((one) => one.progress.phase === 'queued');
    if (first === undefined) return;
    void first.run().then(() => {
      if (first.progress.phase === 'done') this.finished();
      this.pump();
    });
  }

  private changed(): void {
    this.shown = [...this.uploads];
    for (const tell of this.listeners) tell();
  }
}

export const uploads = new Queue(transport, () => void queryClient.invalidateQueries({ queryKey: ['datasets'] }));

addEventListener('online', () => uploads.hurry());
addEventListener('beforeunload', (event) => {
  if (uploads.busy) event.preventDefault();
});

export function useUploads(): readonly Uploader[] {
  return useSyncExternalStore(
    (tell) => uploads.subscribe(tell),
    () => uploads.list(),
  );
}
