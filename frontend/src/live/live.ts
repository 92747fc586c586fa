/** Live events in this tab: `useLive` to hear them, `useConnection` to know whether they come. */
import { useEffect, useEffectEvent, useSyncExternalStore } from 'react';
import type { Asked, Connection, LiveEvent, Told } from './events';
import { Source } from './source';

type Heard = (events: LiveEvent[]) => void;

const hearers = new Set<Heard>();
const gapHearers = new Set<() => void>();
const refusedHearers = new Set<() => void>();
const watchers = new Set<() => void>();
let connection: Connection = { state: 'connecting' };
let started = false;

function take(told: Told): void {
  if (told.kind === 'events') {
    for (const hear of hearers) hear(told.events);
    return;
  }
  if (told.kind === 'refused') {
    for (const tell of refusedHearers) tell();
    return;
  }
  connection = told.connection;
  for (const tell of watchers) tell();
  if (told.gap) for (const tell of gapHearers) tell();
}

/** Begin to listen: once a tab, when somebody is signed in. */
export function startLive(): void {
  if (started) return;
  started = true;
  const visible = () => document.visibilityState === 'visible';
  if (typeof SharedWorker === 'undefined' || navigator.locks === undefined) {
    const source = new Source(take);
    source.want(visible());
    document.addEventListener('visibilitychange', () => source.want(visible()));
    return;
  }
  const worker = new SharedWorker(new URL('./worker.ts', import.meta.url), { type: 'module', name: 'trainyard-live' });
  worker.port.onmessage = ({ data }: MessageEvent<Told>) => take(data);
  const send = (asked: Asked) => worker.port.postMessage(asked);
  const lock = `trainyard-tab-${crypto.randomUUID()}`;
  void navigator.locks.request(lock, () => {
    send({ kind: 'hello', lock, visible: visible() });
    return new Promise(() => {}); // held until this tab is gone
  });
  document.addEventListener('visibilitychange', () => send({ kind: 'visible', visible: visible() }));
}

/** Hear every event while mounted. `heard` may change from render to render. */
export function useLive(heard: Heard): void {
  const hear = useEffectEvent(heard);
  useEffect(() => {
    const mine: Heard = (events) => hear(events);
    hearers.add(mine);
    return () => void hearers.delete(mine);
  }, []);
}

/** Called when events may have been missed: what is shown has to be asked for anew. */
export function onGap(tell: () => void): () => void {
  gapHearers.add(tell);
  return () => gapHearers.delete(tell);
}

/** Called each time the stream was asked for and refused. */
export function onRefused(tell: () => void): () => void {
  refusedHearers.add(tell);
  return () => refusedHearers.delete(tell);
}

export function useConnection(): Connection {
  return useSyncExternalStore(
    (tell) => {
      watchers.add(tell);
      return () => watchers.delete(tell);
    },
    () => connection,
  );
}
