/** A word about something that was done or failed elsewhere than under the eye; it goes by itself. */
import { type ReactNode, useSyncExternalStore } from 'react';

type Toast = { id: number; text: ReactNode; bad: boolean };

const LASTS_MS = 6_000;
let toasts: Toast[] = [];
let next = 1;
const listeners = new Set<() => void>();

function set(changed: Toast[]): void {
  toasts = changed;
  for (const tell of listeners) tell();
}

export function toast(text: ReactNode, { bad = false } = {}): void {
  const id = next++;
  set([...toasts.slice(-2), { id, text, bad }]);
  setTimeout(() => set(toasts.filter((one) => one.id !== id)), LASTS_MS);
}

export function Toasts() {
  const shown = useSyncExternalStore(
    (tell) => {
      listeners.add(tell);
      return () => listeners.delete(tell);
    },
    () => toasts,
  );
  return (
    <div aria-live="polite" className="pointer-events-none fixed right-4 bottom-16 z-50 flex flex-col gap-2">
      {shown.map((one) => (
        <div
          key={one.id}
          className={`pointer-events-auto max-w-sm rounded-field border bg-bg px-3 py-2 shadow-float ${one.bad ? 'border-failed text-failed' : 'border-line'}`}
        >
          {one.text}
        </div>
      ))}
    </div>
  );
}
