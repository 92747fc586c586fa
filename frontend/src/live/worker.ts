/** The shared worker: one stream for all tabs of a browser. A tab's lock tells when it is gone, however it went. */
import type { Asked, Told } from './events';
import { Source } from './source';

const tabs = new Map<MessagePort, { visible: boolean }>();
const source = new Source((told) => {
  for (const port of tabs.keys()) port.postMessage(told);
});

function look(): void {
  source.want([...tabs.values()].some((tab) => tab.visible));
}

function join(port: MessagePort, lock: string, visible: boolean): void {
  tabs.set(port, { visible });
  port.postMessage({ kind: 'connection', connection: source.connection, gap: false } satisfies Told);
  look();
  // granted only when the tab lets go of it, which it never does while it lives
  void navigator.locks.request(lock, () => {
    tabs.delete(port);
    port.close();
    look();
  });
}

self.addEventListener('connect', (event) => {
  const port = (event as MessageEvent).ports[0];
  if (port === undefined) return;
  port.onmessage = ({ data }: MessageEvent<Asked>) => {
    if (data.kind === 'hello') join(port, data.lock, data.visible);
    else {
      const tab = tabs.get(port);
      if (tab !== undefined) tab.visible = data.visible;
      look();
    }
  };
});
