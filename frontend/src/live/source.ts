/** One event stream, opened while somebody looks. It goes on where it stopped, so that no event is missed. */
import type { Connection, LiveEvent, Told } from './events';

const TOO_LONG_MS = 5 * 60_000; // after so long, asking anew is quicker than hearing all of it
const AGAIN_MS = 1_000; // doubled with each refusal
const AGAIN_AT_MOST_MS = 30_000;
const HIDDEN_MS = 15_000; // a glance at another tab costs no reconnect

export class Source {
  private stream: EventSource | null = null;
  private last: number | null = null;
  private closedAt = 0;
  private wanted = false;
  private again: ReturnType<typeof setTimeout> | undefined;
  private pause = AGAIN_MS;
  private hiding: ReturnType<typeof setTimeout> | undefined;
  private waiting: LiveEvent[] = [];
  connection: Connection = { state: 'connecting' };

  constructor(private readonly tell: (told: Told) => void) {}

  /** Whether anybody looks. Without, the connection is given back: browsers have six to a server. */
  want(wanted: boolean): void {
    this.wanted = wanted;
    clearTimeout(this.hiding);
    if (wanted && this.stream === null) this.open();
    else if (!wanted) this.hiding = setTimeout(() => this.close(), HIDDEN_MS);
  }

  private open(): void {
    clearTimeout(this.again);
    const late = this.closedAt > 0 && Date.now() - this.closedAt > TOO_LONG_MS;
    if (late) this.last = null;
    const gap = this.last === null;
    const stream = new EventSource(`/v1/events${this.last === null ? '' : `?after=${this.last}`}`);
    this.stream = stream;
    let first = true;
    stream.onopen = () => {
      this.closedAt = 0;
      this.pause = AGAIN_MS;
      this.set({ state: 'live' }, gap && first);
      first = false;
    };
    // the backend knows of no such event as our last: an older database was put back
    stream.addEventListener('gap', ({ lastEventId }) => {
      this.last = Number(lastEventId);
      this.set({ state: 'live' }, true);
    });
    stream.onmessage = (message: MessageEvent<string>) => this.take(JSON.parse(message.data));
    stream.onerror = () => {
      if (this.closedAt === 0) this.closedAt = Date.now();
      if (this.connection.state !== 'away') this.set({ state: 'away', since: Date.now() }, false);
      // an answer that is no stream (signed out, starting up) ends it for good: the browser won't come back by itself
      if (stream.readyState === EventSource.CLOSED) {
        this.stream = null;
        this.tell({ kind: 'refused' });
        if (this.wanted) this.again = setTimeout(() => this.open(), this.pause);
        this.pause = Math.min(this.pause * 2, AGAIN_AT_MOST_MS);
      }
    };
  }

  private close(): void {
    clearTimeout(this.again);
    this.stream?.close();
    this.stream = null;
    this.closedAt = Date.now();
  }

  private set(connection: Connection, gap: boolean): void {
    this.connection = connection;
    this.tell({ kind: 'connection', connection, gap });
  }

  /** Events of one moment go out as one message: a burst costs the tabs one render. */
  private take(event: LiveEvent): void {
    this.last = event.id;
    this.waiting.push(event);
    if (this.waiting.length > 1) return;
    queueMicrotask(() => setTimeout(() => this.flush(), 0));
  }

  private flush(): void {
    const events = this.waiting;
    this.waiting = [];
    this.tell({ kind: 'events', events });
  }
}
