/** What the live stream tells. */
import type { Schemas } from '~/api/client';

/** The same as the API's lists of events tell. */
export type LiveEvent = Schemas['EventOut'];

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
