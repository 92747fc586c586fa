/** A job's log in this tab: its end first, older parts when wanted, and what comes, while somebody looks. */
import { between, endOf, FIRST, PIECE, read } from './ranges';
import { LogText } from './text';

export type FeedState = {
  phase: 'loading' | 'ready' | 'failed';
  error: unknown;
  /** Offsets: `from` is where what is here begins; nothing is older than 0. */
  from: number;
  end: number;
  /** Nothing will be added any more. */
  complete: boolean;
  filling: 'one' | 'all' | null;
  /** Grows with every change of the text. */
  version: number;
};

const AGAIN_MS = 1_000;
const CATCHING_UP_MS = 250;
const AT_FIRST: FeedState = {
  phase: 'loading',
  error: null,
  from: 0,
  end: 0,
  complete: false,
  filling: null,
  version: 0,
};

export class LogFeed {
  readonly text = new LogText();
  state = AT_FIRST;
  private readonly listeners = new Set<() => void>();
  private readonly arrivals: { id: number; at: number | null }[] = [];
  private openedAt = 0;
  private readonly encoder = new TextEncoder();
  private stopping = new AbortController();
  private stream: EventSource | null = null;
  private wanted = false;
  private again: ReturnType<typeof setTimeout> | undefined;
  private filling = new AbortController();

  constructor(readonly jobId: string) {}

  subscribe = (tell: () => void): (() => void) => {
    this.listeners.add(tell);
    return () => this.listeners.delete(tell);
  };

  snapshot = (): FeedState => this.state;

  /** May be called again after `stop`: what is here stays. */
  async start(): Promise<void> {
    this.stopping = new AbortController();
    if (this.state.phase === 'ready') return this.look();
    const { signal } = this.stopping;
    this.set({ phase: 'loading', error: null });
    try {
      const { end, complete } = await endOf(this.jobId, signal);
      const found = await between(Math.max(0, end - FIRST), end, this.reader(signal));
      if (signal.aborted) return;
      this.text.append(found.bytes);
      this.set({ phase: 'ready', from: found.from, end, complete, version: this.state.version + 1 });
      this.look();
    } catch (error) {
      if (!signal.aborted) this.set({ phase: 'failed', error });
    }
  }

  stop(): void {
    this.stopping.abort();
    this.filling.abort();
    this.close();
  }

  /** Whether somebody sees what comes: else the connection is given back. */
  want(wanted: boolean): void {
    this.wanted = wanted;
    this.look();
  }

  /** The part before what is here, or all of it. */
  async older(all = false): Promise<void> {
    if (this.state.phase !== 'ready' || this.state.from === 0 || this.state.filling === 'all') return;
    if (this.state.filling === 'one' && !all) return;
    this.filling.abort();
    this.filling = new AbortController();
    const { signal } = this.filling;
    this.set({ filling: all ? 'all' : 'one', error: null });
    try {
      do {
        const { from } = this.state;
        const found = await between(Math.max(0, from - PIECE), from, this.reader(signal));
        if (signal.aborted) return;
        this.text.prepend(found.bytes);
        this.set({ from: Math.min(found.from, from - 1), version: this.state.version + 1 });
      } while (all && this.state.from > 0);
      this.set({ filling: null });
    } catch (error) {
      if (!signal.aborted) this.set({ filling: null, error });
    }
  }

  stopFilling(): void {
    this.filling.abort();
    this.set({ filling: null });
  }

  /** When a line came, in seconds since 1970; null for one that was there before us: lines carry no time. */
  arrived(id: number): number | null {
    let from = 0;
    let to = this.arrivals.length;
    while (from < to) {
      const middle = (from + to) >> 1;
      if ((this.arrivals[middle]?.id ?? 0) <= id) from = middle + 1;
      else to = middle;
    }
    return this.arrivals[from - 1]?.at ?? null;
  }

  get hasTimes(): boolean {
    return this.arrivals.some(({ at }) => at !== null);
  }

  private reader(signal: AbortSignal) {
    return (from: number, limit: number) => read(this.jobId, from, Math.min(limit, PIECE), signal);
  }

  private look(): void {
    const open = this.wanted && this.state.phase === 'ready' && !this.state.complete && !this.stopping.signal.aborted;
    if (open && this.stream === null) this.open();
    else if (!open) this.close();
  }

  private open(): void {
    clearTimeout(this.again);
    const stream = new EventSource(`/v1/jobs/${encodeURIComponent(this.jobId)}/log/stream?offset=${this.state.end}`);
    this.stream = stream;
    stream.onopen = () => {
      this.openedAt = performance.now();
    };
    stream.onmessage = ({ data, lastEventId }: MessageEvent<string>) => {
      const told: unknown = JSON.parse(data);
      if (typeof told === 'string') this.add(told, Number(lastEventId));
    };
    stream.addEventListener('end', () => {
      this.set({ complete: true });
      this.close();
    });
    stream.onerror = () => {
      // the browser would come back by itself to where this stream began, and trust Last-Event-ID to pass every proxy
      this.close();
      this.again = setTimeout(() => this.look(), AGAIN_MS);
    };
  }

  private close(): void {
    clearTimeout(this.again);
    this.stream?.close();
    this.stream = null;
  }

  private add(told: string, end: number): void {
    const first = this.text.closed ? this.text.end : this.text.end - 1;
    this.text.append(this.encoder.encode(told));
    // what comes right away was written while nobody listened
    const late = performance.now() - this.openedAt < CATCHING_UP_MS;
    if (this.arrivals.at(-1)?.id !== first) this.arrivals.push({ id: first, at: late ? null : Date.now() / 1000 });
    this.set({ end: Number.isFinite(end) ? end : this.state.end, version: this.state.version + 1 });
  }

  private set(changed: Partial<FeedState>): void {
    this.state = { ...this.state, ...changed };
    for (const tell of this.listeners) tell();
  }
}
