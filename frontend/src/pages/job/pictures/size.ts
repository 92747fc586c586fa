/** How large a picture is: the API does not say, the picture does. Asked once for each. */
import { useSyncExternalStore } from 'react';

export type Size = { width: number; height: number };

const MOST = 2_000;
const known = new Map<string, Size | 'asked' | 'lost'>();
const listeners = new Set<() => void>();

function ask(src: string): void {
  if (known.has(src)) return;
  if (known.size >= MOST) known.clear();
  known.set(src, 'asked');
  const image = new Image();
  const tell = (found: Size | 'lost') => {
    known.set(src, found);
    for (const listener of listeners) listener();
  };
  image.onload = () => tell({ width: image.naturalWidth, height: image.naturalHeight });
  image.onerror = () => tell('lost');
  image.src = src;
}

export function useSize(src: string): Size | 'asked' | 'lost' {
  return useSyncExternalStore(
    (tell) => {
      listeners.add(tell);
      ask(src);
      return () => listeners.delete(tell);
    },
    () => known.get(src) ?? 'asked',
  );
}
