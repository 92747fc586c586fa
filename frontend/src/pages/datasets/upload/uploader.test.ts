import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ApiError, type Dataset } from '~/api/client';
import { Queue } from './queue';
import { Rate, secondsLeft } from './rate';
import { interrupted, recall, remember } from './remembered';
import { FileChanged, type Source, type Transport } from './shapes';
import { LARGEST_PIECE, nextPiece, Uploader } from './uploader';

const BYTES = 3 * LARGEST_PIECE + 5;
const away = new ApiError(0, 'unreachable', '', '', null);

function sourceOf(fingerprint = 'zip:a'): Source {
  const read = async (start: number, end: number) => new Uint8Array(Math.min(end, BYTES) - start);
  return { kind: 'zip', fileName: 'a.zip', bytes: BYTES, files: null, fingerprint, read };
}

/** A backend that keeps its word; `trouble` is thrown by the next call of that name. */
class Backend implements Transport {
  kept = new Map<string, number>();
  calls: string[] = [];
  trouble: Partial<Record<keyof Transport, unknown[]>> = {};
  private made = 0;

  private call(name: keyof Transport, id = '') {
    this.calls.push(name);
    const error = this.trouble[name]?.shift();
    if (error !== undefined) throw error;
    const offset = this.kept.get(id);
    if (name === 'begin') return { id: '', offset: 0, bytes: BYTES, expires_at: 0 };
    if (offset === undefined) throw new ApiError(404, 'not_found', '', '', null);
    return { id, offset, bytes: BYTES, expires_at: 0 };
  }
  begin = async () => {
    const begun = this.call('begin');
    const id = `up-${++this.made}`;
    this.kept.set(id, 0);
    return { ...begun, id };
  };
  howFar = async (id: string) => this.call('howFar', id);
  send = async (id: string, offset: number, piece: Uint8Array) => {
    const begun = this.call('send', id);
    if (begun.offset !== offset) throw new ApiError(409, 'wrong_offset', '', '', null);
    this.kept.set(id, offset + piece.length);
    return { ...begun, offset: offset + piece.length };
  };
  finish = async (id: string) => {
    const begun = this.call('finish', id);
    expect(begun.offset).toBe(BYTES);
    return { dataset: { id: 'cats' } as Dataset, known: false };
  };
  drop = async (id: string) => {
    this.calls.push('drop');
    this.kept.delete(id);
  };
}

let backend: Backend;
const wanted = { name: 'Cats', project: 'default' };
const uploader = (source = sourceOf()) => new Uploader(1, source, wanted, backend, () => {});

beforeEach(() => {
  vi.useFakeTimers();
  localStorage.clear();
  backend = new Backend();
});
afterEach(() => vi.useRealTimers());

describe('an upload', () => {
  it('sends all of it in pieces and becomes a dataset', async () => {
    const one = uploader();
    await one.run();
    expect(one.progress).toMatchObject({ phase: 'done', sent: BYTES, error: null });
    expect(backend.calls.filter((name) => name === 'send').length).toBeGreaterThan(3);
    expect(recall('zip:a', 'default')).toBeUndefined();
  });

  it('waits while the backend is away and goes on where it was', async () => {
    backend.trouble.send = [undefined, away];
    backend.trouble.howFar = [away];
    const one = uploader();
    const ended = one.run();
    await vi.advanceTimersByTimeAsync(100);
    expect(one.progress.phase).toBe('waiting');
    expect(one.progress.retryAt).not.toBeNull();
    await vi.advanceTimersByTimeAsync(10_000);
    await ended;
    expect(one.progress.phase).toBe('done');
    expect(backend.calls.filter((name) => name === 'begin')).toHaveLength(1);
  });

  it('asks how far it is where a piece was kept but its answer got lost', async () => {
    const one = uploader();
    const { send } = backend;
    let lost = false;
    backend.send = async (id, offset, piece) => {
      const answer = await send(id, offset, piece);
      if (lost) return answer;
      lost = true;
      throw away;
    };
    const ended = one.run();
    await vi.advanceTimersByTimeAsync(5_000);
    await ended;
    expect(one.progress).toMatchObject({ phase: 'done', sent: BYTES });
  });

  it('goes on after a reload when the same file is chosen again', async () => {
    const first = uploader();
    backend.trouble.send = [undefined, new ApiError(401, 'unauthorized', '', '', null)];
    await first.run();
    expect(first.progress.phase).toBe('failed');
    const at = first.progress.sent;
    expect(at).toBeGreaterThan(0);
    const second = uploader();
    await second.run();
    expect(second.progress).toMatchObject({ phase: 'done', resumedAt: at, restarted: false });
    expect(backend.kept.size).toBe(1);
  });

  it('does not take another file for it', async () => {
    backend.trouble.send = [undefined, new ApiError(401, 'unauthorized', '', '', null)];
    await uploader().run();
    const other = uploader(sourceOf('zip:b'));
    await other.run();
    expect(other.progress).toMatchObject({ phase: 'done', resumedAt: null });
    expect(backend.kept.size).toBe(2);
  });

  it('says so and begins anew where what was sent is gone', async () => {
    remember({ ...wanted, fingerprint: 'zip:a', id: 'old', fileName: 'a.zip', bytes: BYTES, sent: 9, kind: 'zip' });
    const one = uploader();
    await one.run();
    expect(one.progress).toMatchObject({ phase: 'done', restarted: true, resumedAt: null });
  });

  it('pauses, and goes on from there', async () => {
    const one = uploader();
    const { send } = backend;
    backend.send = async (...piece) => {
      const answer = await send(...piece);
      if (backend.calls.length === 4) one.pause();
      return answer;
    };
    await one.run();
    expect(one.progress.phase).toBe('paused');
    one.resume();
    await one.run();
    expect(one.progress.phase).toBe('done');
    expect(backend.calls.filter((name) => name === 'begin')).toHaveLength(1);
  });

  it('is not disturbed by what a paused run still had under way', async () => {
    let release: () => void = () => {};
    const source = sourceOf();
    const { read } = source;
    source.read = async (start, end) => {
      if (start === 0) await new Promise<void>((go) => (release = go));
      return read(start, end);
    };
    const one = uploader(source);
    const first = one.run();
    await vi.advanceTimersByTimeAsync(1);
    one.pause();
    one.resume();
    source.read = read;
    const second = one.run();
    release();
    await Promise.all([first, second]);
    expect(one.progress.phase).toBe('done');
  });

  it('cancelled, leaves nothing behind', async () => {
    const one = uploader();
    const { send } = backend;
    backend.send = async (...piece) => {
      one.cancel();
      return send(...piece);
    };
    await one.run();
    expect(one.progress.phase).toBe('cancelled');
    expect(backend.calls).toContain('drop');
    expect(interrupted(new Set())).toEqual([]);
  });

  it('is over when the zip is refused', async () => {
    backend.trouble.finish = [new ApiError(422, 'invalid_input', 'no zip', '', 'file')];
    const one = uploader();
    await one.run();
    expect(one.progress).toMatchObject({ phase: 'failed', error: { message: 'no zip' } });
    expect(recall('zip:a', 'default')).toBeUndefined();
  });

  it('says that the file changed', async () => {
    const source = sourceOf();
    source.read = () => Promise.reject(new DOMException('', 'NotReadableError'));
    const one = uploader(source);
    await one.run();
    expect(one.progress.error).toBeInstanceOf(FileChanged);
  });

  it('tries to finish again, but not without a pause', async () => {
    backend.trouble.finish = [away, away, away];
    const one = uploader();
    const ended = one.run();
    await vi.advanceTimersByTimeAsync(3_500);
    expect(one.progress.phase).toBe('waiting');
    expect(backend.calls.filter((name) => name === 'finish')).toHaveLength(3);
    await vi.advanceTimersByTimeAsync(60_000);
    await ended;
    expect(one.progress.phase).toBe('done');
  });
});

describe('the queue', () => {
  it('sends one at a time, and the next when one is paused', async () => {
    const queue = new Queue(backend, () => {});
    const ends: (() => void)[] = [];
    const held = (fingerprint: string): Source => ({
      ...sourceOf(fingerprint),
      read: (start, end) => new Promise((go) => ends.push(() => go(new Uint8Array(Math.min(end, BYTES) - start)))),
    });
    queue.add(held('a'), wanted);
    queue.add(held('b'), wanted);
    await vi.advanceTimersByTimeAsync(1);
    expect(queue.list().map((one) => one.progress.phase)).toEqual(['sending', 'queued']);
    queue.list()[0]?.pause();
    ends[0]?.();
    await vi.advanceTimersByTimeAsync(1);
    expect(queue.list().map((one) => one.progress.phase)).toEqual(['paused', 'sending']);
  });
});

describe('what is remembered', () => {
  const one = { ...wanted, fingerprint: 'f', id: 'x', fileName: 'a.zip', bytes: 9, sent: 3, kind: 'zip' as const };

  it('is offered in the tab that was at it, and elsewhere once it is silent', () => {
    remember(one);
    expect(interrupted(new Set())).toHaveLength(1);
    expect(interrupted(new Set(['f']))).toEqual([]);
    sessionStorage.clear();
    expect(interrupted(new Set())).toEqual([]);
    vi.advanceTimersByTime(61_000);
    expect(interrupted(new Set())).toHaveLength(1);
    vi.advanceTimersByTime(24 * 3600_000);
    expect(interrupted(new Set())).toEqual([]);
  });

  it('survives whatever lies in its place', () => {
    localStorage.setItem('trainyard.uploads', '{"version":1,"items":[{"id":3},null,7]}');
    expect(interrupted(new Set())).toEqual([]);
    localStorage.setItem('trainyard.uploads', 'nonsense');
    expect(recall('f', 'default')).toBeUndefined();
  });
});

describe('the rate', () => {
  it('is of the last seconds, and unknown at first', () => {
    const rate = new Rate();
    expect(rate.mark(0, 0)).toBeNull();
    expect(rate.mark(100, 100)).toBeNull();
    expect(rate.mark(2000, 1000)).toBe(2000);
    for (let at = 2; at <= 40; at++) rate.mark(2000 + (at - 1) * 500, at * 1000);
    expect(rate.mark(2000 + 40 * 500, 41_000)).toBeCloseTo(500);
  });

  it('tells how long the rest takes', () => {
    expect(secondsLeft(1000, 400, 60)).toBe(10);
    expect(secondsLeft(1000, 400, 0)).toBeNull();
    expect(secondsLeft(1000, 400, null)).toBeNull();
  });

  it('sizes pieces to the line', () => {
    expect(nextPiece(2 ** 20, 70)).toBe(2 ** 21);
    expect(nextPiece(2 ** 20, 2_000)).toBe(2 ** 20);
    expect(nextPiece(2 ** 20, 7_000)).toBe(2 ** 19);
    expect(nextPiece(LARGEST_PIECE, 1)).toBe(LARGEST_PIECE);
    expect(nextPiece(2 ** 17, 60_000)).toBe(2 ** 17);
  });
});
