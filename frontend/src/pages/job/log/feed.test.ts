import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { wholeLog } from './download';
import { LogFeed } from './feed';
import { readOptions } from './options';
import { FIRST } from './ranges';

/** A backend with one log. */
class Backend {
  log = new Uint8Array();
  complete = false;
  down = false;
  asked: string[] = [];

  write(text: string): void {
    const more = new TextEncoder().encode(text);
    const whole = new Uint8Array(this.log.length + more.length);
    whole.set(this.log);
    whole.set(more, this.log.length);
    this.log = whole;
  }

  answer(address: string): Response {
    this.asked.push(address);
    if (this.down) return new Response('{}', { status: 503 });
    const query = new URL(address, 'http://x').searchParams;
    const tail = query.get('tail');
    const from = tail === null ? Number(query.get('offset')) : this.log.length - Number(tail);
    const to = Math.min(this.log.length, from + Number(query.get('limit') ?? tail));
    const headers = { 'X-Next-Offset': String(to), 'X-Log-Complete': String(this.complete && to === this.log.length) };
    return new Response(this.log.slice(from, to), { headers });
  }
}

class Stream {
  static readonly CLOSED = 2;
  static opened: Stream[] = [];
  readyState = 1;
  onopen: (() => void) | null = null;
  onmessage: ((message: { data: string; lastEventId: string }) => void) | null = null;
  onerror: (() => void) | null = null;
  private ended: (() => void) | null = null;
  constructor(readonly address: string) {
    Stream.opened.push(this);
  }
  addEventListener(_name: 'end', tell: () => void): void {
    this.ended = tell;
  }
  close(): void {
    this.readyState = Stream.CLOSED;
  }
  tell(text: string, offset: number): void {
    this.onmessage?.({ data: JSON.stringify(text), lastEventId: String(offset) });
  }
  end(): void {
    this.ended?.();
  }
  /** As browsers do when a connection breaks: this stream means to try again. */
  breakDown(): void {
    this.readyState = 0;
    this.onerror?.();
  }
}

let backend: Backend;

beforeEach(() => {
  backend = new Backend();
  Stream.opened = [];
  vi.stubGlobal('fetch', async (address: string) => backend.answer(address));
  vi.stubGlobal('EventSource', Stream);
});
afterEach(() => {
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

function shown(feed: LogFeed): string[] {
  return Array.from({ length: feed.text.length }, (_, n) => feed.text.line(feed.text.first + n).text);
}

const open = () => Stream.opened.filter((stream) => stream.readyState !== Stream.CLOSED);

describe('LogFeed', () => {
  it('begins with the end and gets the rest when it is wanted', async () => {
    const wanted = Array.from({ length: 150_000 }, (_, n) => `줄 ${n}`);
    backend.write(wanted.join('\n'));
    backend.complete = true;
    const feed = new LogFeed('job-1');
    await feed.start();
    expect(feed.state).toMatchObject({ phase: 'ready', complete: true });
    expect(backend.log.length - feed.state.from).toBeLessThanOrEqual(FIRST);
    expect(shown(feed).at(-1)).toBe('줄 149999');
    await feed.older(true);
    expect(feed.state).toMatchObject({ from: 0, filling: null });
    expect(shown(feed)).toEqual(wanted);
  });

  it('listens while somebody looks, goes on where it stopped, and knows the end', async () => {
    backend.write('one\n');
    const feed = new LogFeed('job-1');
    feed.want(true);
    await feed.start();
    expect(open()).toHaveLength(1);
    expect(open()[0]?.address).toContain('/v1/jobs/job-1/log/stream?offset=4');
    open()[0]?.tell('tw', 6);
    feed.want(false);
    expect(open()).toHaveLength(0);
    feed.want(true);
    expect(open()[0]?.address).toContain('offset=6');
    open()[0]?.tell('o\n', 8);
    open()[0]?.end();
    expect(shown(feed)).toEqual(['one', 'two']);
    expect(feed.state.complete).toBe(true);
    feed.want(false);
    feed.want(true);
    expect(open()).toHaveLength(0);
  });

  it('comes back after the backend did, without a gap', async () => {
    vi.useFakeTimers();
    backend.write('one\n');
    const feed = new LogFeed('job-1');
    feed.want(true);
    await feed.start();
    open()[0]?.tell('two\n', 8);
    open()[0]?.breakDown();
    expect(open()).toHaveLength(0);
    await vi.advanceTimersByTimeAsync(1_100);
    expect(open()[0]?.address).toContain('offset=8');
    feed.stop();
    expect(open()).toHaveLength(0);
  });

  it('needs no stream for a log that is complete', async () => {
    backend.write('all\n');
    backend.complete = true;
    const feed = new LogFeed('job-1');
    feed.want(true);
    await feed.start();
    expect(Stream.opened).toHaveLength(0);
  });

  it('says what failed, and can be asked again', async () => {
    backend.down = true;
    const feed = new LogFeed('job-1');
    await feed.start();
    expect(feed.state.phase).toBe('failed');
    backend.down = false;
    backend.write('here\n');
    await feed.start();
    expect(feed.state.phase).toBe('ready');
    expect(shown(feed)).toEqual(['here']);
  });

  it('knows when a line came, but not of those that were written before', async () => {
    vi.useFakeTimers({ now: 50_000, toFake: ['Date', 'performance'] });
    backend.write('before\n');
    const feed = new LogFeed('job-1');
    feed.want(true);
    await feed.start();
    open()[0]?.onopen?.();
    open()[0]?.tell('meanwhile\n', 17);
    expect(feed.hasTimes).toBe(false);
    vi.advanceTimersByTime(10_000);
    open()[0]?.tell('now\nand ', 25);
    vi.advanceTimersByTime(5_000);
    open()[0]?.tell('then\nlater\n', 36);
    expect([0, 1, 2, 3, 4].map((id) => feed.arrived(id))).toEqual([null, null, 60, 65, 65]);
  });
});

describe('wholeLog', () => {
  it('puts the parts together', async () => {
    backend.write('a'.repeat(2_500_000));
    const told: number[] = [];
    const blob = await wholeLog('job-1', new AbortController().signal, (bytes) => told.push(bytes));
    expect(blob.size).toBe(2_500_000);
    expect(told.at(-1)).toBe(2_500_000);
  });
});

describe('readOptions', () => {
  it('takes what it knows, and nothing else', () => {
    expect(readOptions('{"wrap":true,"trace":"yes","other":true}')).toEqual({ wrap: true, trace: false, times: false });
    for (const broken of [null, '', '7', 'null', '{']) expect(readOptions(broken).wrap).toBe(false);
  });
});
