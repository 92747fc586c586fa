/** What an upload is made of, and what it shows of itself. */
import type { Dataset } from '~/api/client';

/** The backend's side of an upload: so many of its bytes are there. */
export type Begun = { id: string; offset: number; bytes: number; expires_at: number };

/** What is sent: a zip as it is, or one that is made of a folder on the way. */
export type Source = {
  kind: 'zip' | 'folder';
  fileName: string;
  bytes: number;
  /** Of a folder. */
  files: number | null;
  /** The same for the same file as it was: to go on after a reload. */
  fingerprint: string;
  read: (start: number, end: number) => Promise<Uint8Array<ArrayBuffer>>;
};

export type Wanted = { name: string; project: string };

export type Phase = 'queued' | 'sending' | 'waiting' | 'paused' | 'finishing' | 'done' | 'failed' | 'cancelled';

export type Progress = {
  phase: Phase;
  sent: number;
  /** Bytes a second, null while nobody can tell. */
  rate: number | null;
  /** Where it went on, in place of the beginning. */
  resumedAt: number | null;
  /** What was sent before was gone: it began anew. */
  restarted: boolean;
  /** When it tries again by itself, in ms since 1970. */
  retryAt: number | null;
  error: unknown;
  dataset: Dataset | null;
  /** The very same content was a dataset already. */
  known: boolean;
};

/** The calls an upload makes; rejects with ApiError. */
export type Transport = {
  begin: (source: Source, wanted: Wanted, signal: AbortSignal) => Promise<Begun>;
  howFar: (id: string, signal: AbortSignal) => Promise<Begun>;
  send: (id: string, offset: number, piece: Uint8Array<ArrayBuffer>, signal: AbortSignal) => Promise<Begun>;
  finish: (id: string, signal: AbortSignal) => Promise<{ dataset: Dataset; known: boolean }>;
  drop: (id: string) => Promise<void>;
};

/** A file could not be read: it was changed, moved or removed while it was sent. */
export class FileChanged extends Error {}
