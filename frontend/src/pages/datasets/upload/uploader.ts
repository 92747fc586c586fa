/** One upload from its first byte to a dataset: sends pieces, waits out a broken connection, goes on where it was. */
import { ApiError } from '~/api/client';
import { Rate } from './rate';
import { forget, recall, remember } from './remembered';
import { type Begun, FileChanged, type Progress, type Source, type Transport, type Wanted } from './shapes';

export const LARGEST_PIECE = 8 * 2 ** 20;
const FIRST_PIECE = 2 ** 19;
// a piece takes between these: progress moves, and a pause or a break loses little
const QUICK_MS = 700;
const SLOW_MS = 4_000;
const SMALLEST_PIECE = 2 ** 17;
const FIRST_WAIT_MS = 1_000;
const LONGEST_WAIT_MS = 30_000;

const FRESH: Progress = {
  phase: 'queued',
  sent: 0,
  rate: null,
  resumedAt: null,
  restarted: false,
  retryAt: null,
  error: null,
  dataset: null,
  known: false,
};

export class Uploader {
  progress: Progress = FRESH;
  private upload: Begun | null = null;
  private control = new AbortController();
  private piece = FIRST_PIECE;
  private waits = 0;
  private finishes = 0;
  private wake: (() => void) | undefined;
  private readonly rate = new Rate();

  constructor(
    readonly key: number,
    readonly source: Source,
    readonly wanted: Wanted,
    private readonly transport: Transport,
    private readonly changed: () => void,
  ) {}

  /** Send until it is done, failed, paused or cancelled. Never rejects. */
  async run(): Promise<void> {
    this.control = new AbortController();
    const { signal } = this.control; // of this run: a pause ends it, and going on is another
    this.rate.forget();
    this.set({ phase: 'sending', error: null, retryAt: null });
    while (!signal.aborted && this.isGoing()) {
      try {
        await this.goOn(signal);
      } catch (error) {
        if (signal.aborted) return;
        await this.recover(error, signal);
      }
    }
  }

  pause(): void {
    if (!this.isGoing() && this.progress.phase !== 'queued') return;
    this.stop({ phase: 'paused' });
  }

  /** In line again; the queue runs it. */
  resume(): void {
    if (this.progress.phase === 'paused' || this.progress.phase === 'failed')
      this.set({ phase: 'queued', error: null });
  }

  cancel(): void {
    this.stop({ phase: 'cancelled' });
    this.drop();
  }

  /** Don't wait any longer: the connection may be back. */
  hurry(): void {
    this.wake?.();
  }

  private stop(changes: Partial<Progress>): void {
    this.set({ ...changes, rate: null, retryAt: null });
    this.control.abort();
    this.wake?.();
  }

  private drop(): void {
    // where it can't be told now, the backend drops it after an hour
    if (this.upload !== null) this.transport.drop(this.upload.id).catch(() => {});
    this.letGo();
  }

  /** The backend has dropped it, or will. */
  private letGo(): void {
    if (this.upload !== null) forget(this.upload.id);
    this.upload = null;
  }

  private isGoing(): boolean {
    return ['sending', 'waiting', 'finishing'].includes(this.progress.phase);
  }

  private async goOn(signal: AbortSignal): Promise<void> {
    if (this.upload === null) await this.begin(signal);
    for (let upload = this.upload; upload !== null && upload.offset < upload.bytes; upload = this.upload) {
      const end = Math.min(upload.bytes, upload.offset + this.piece);
      const data = await this.read(upload.offset, end);
      signal.throwIfAborted();
      const begun = performance.now();
      const after = await this.transport.send(upload.id, upload.offset, data, signal);
      signal.throwIfAborted();
      this.piece = nextPiece(this.piece, performance.now() - begun);
      this.arrived(after);
    }
    if (this.upload === null) return;
    this.set({ phase: 'finishing', rate: null, retryAt: null });
    this.finishes += 1;
    const { dataset, known } = await this.transport.finish(this.upload.id, signal);
    signal.throwIfAborted();
    forget(this.upload.id);
    // asked again because an answer was lost, what is known may be what this very upload became
    this.set({ phase: 'done', dataset, known: known && this.finishes === 1 });
  }

  private async begin(signal: AbortSignal): Promise<void> {
    const before = recall(this.source.fingerprint, this.wanted.project);
    if (before !== undefined) {
      try {
        const upload = await this.transport.howFar(before.id, signal);
        signal.throwIfAborted();
        if (upload.bytes === this.source.bytes) {
          this.set({ resumedAt: upload.offset });
          this.arrived(upload);
          return;
        }
      } catch (error) {
        if (!(error instanceof ApiError && error.status === 404)) throw error;
      }
      forget(before.id);
      this.set({ restarted: true });
    }
    const upload = await this.transport.begin(this.source, this.wanted, signal);
    signal.throwIfAborted();
    this.arrived(upload);
  }

  private arrived(upload: Begun): void {
    this.upload = upload;
    this.waits = 0;
    const { fingerprint, fileName, bytes, kind } = this.source;
    remember({ fingerprint, fileName, bytes, kind, ...this.wanted, id: upload.id, sent: upload.offset });
    const rate = this.rate.mark(upload.offset, performance.now());
    this.set({ phase: 'sending', sent: upload.offset, rate, retryAt: null, error: null });
  }

  private async read(start: number, end: number): Promise<Uint8Array<ArrayBuffer>> {
    try {
      return await this.source.read(start, end);
    } catch (cause) {
      throw new FileChanged(this.source.fileName, { cause });
    }
  }

  /** Decide what comes after an error: another try by itself, or the end of it. */
  private async recover(error: unknown, signal: AbortSignal): Promise<void> {
    if (error instanceof ApiError) {
      if (error.passing || error.status === 503 || error.status === 429) return this.waitAndLook(error, signal);
      if (error.code === 'wrong_offset') return this.look(signal);
      if (error.status === 404 && this.upload !== null) return this.startOver();
      if (this.progress.phase === 'finishing' && error.status < 500 && error.status !== 401) this.letGo();
    }
    this.set({ phase: 'failed', error, rate: null, retryAt: null });
  }

  private async waitAndLook(error: ApiError, signal: AbortSignal): Promise<void> {
    const wait = Math.min(FIRST_WAIT_MS * 2 ** this.waits, LONGEST_WAIT_MS);
    this.waits += 1;
    this.rate.forget();
    this.set({ phase: 'waiting', error, rate: null, retryAt: Date.now() + wait });
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, wait);
      this.wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.wake = undefined;
    if (!signal.aborted) await this.look(signal);
  }

  /** The connection may have broken before or after a piece was kept: only the backend knows. */
  private async look(signal: AbortSignal): Promise<void> {
    if (this.upload === null) return;
    try {
      const waits = this.waits;
      const upload = await this.transport.howFar(this.upload.id, signal);
      signal.throwIfAborted();
      this.arrived(upload);
      // an answer to a look is no progress yet: without it a finish that always fails would be tried without a pause
      this.waits = waits;
    } catch (error) {
      if (!signal.aborted) await this.recover(error, signal);
    }
  }

  private startOver(): void {
    if (this.upload !== null) forget(this.upload.id);
    if (this.progress.restarted) {
      // once is bad luck, twice is a reason to ask
      this.set({ phase: 'failed', error: new ApiError(404, 'upload_gone', '', '', null), rate: null, retryAt: null });
      return;
    }
    this.upload = null;
    this.set({ phase: 'sending', sent: 0, resumedAt: null, restarted: true, retryAt: null });
  }

  private set(changes: Partial<Progress>): void {
    this.progress = { ...this.progress, ...changes };
    this.changed();
  }
}

/** As much as goes in a moment on this line. Not shrunk in between: much of the time may not be the line's. */
export function nextPiece(size: number, took: number): number {
  if (took < QUICK_MS) return Math.min(LARGEST_PIECE, size * 2);
  return took > SLOW_MS ? Math.max(SMALLEST_PIECE, size / 2) : size;
}
