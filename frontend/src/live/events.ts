/** What the live stream tells. */

export type LiveEvent = {
  id: number;
  project_id: string;
  job_id: string | null;
  at: number;
  type: string;
  attempt: number | null;
  message: string;
  data: Record<string, unknown>;
};

/** `live`: events come. `away`: the backend does not answer; `since` when. */
export type Connection = { state: 'connecting' | 'live' } | { state: 'away'; since: number };

/** From the one who holds the stream to the tabs. `gap`: what happened in between was not told; ask anew. `refused`:
 * something answers, but with no stream; perhaps nobody is signed in any more. */
export type Told =
  | { kind: 'events'; events: LiveEvent[] }
  | { kind: 'refused' }
  | { kind: 'connection'; connection: Connection; gap: boolean };

/** From a tab to the one who holds the stream. */
export type Asked = { kind: 'hello'; lock: string; visible: boolean } | { kind: 'visible'; visible: boolean };
