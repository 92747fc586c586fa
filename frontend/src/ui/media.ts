/** Whether there is room, where that changes what is shown and not only how it looks. */
import { useSyncExternalStore } from 'react';

/** `useMedia('(min-width: 960px)')`; the query must stay the same. */
export function useMedia(query: string): boolean {
  const list = listOf(query);
  return useSyncExternalStore(list.subscribe, list.matches);
}

const lists = new Map<string, { subscribe: (tell: () => void) => () => void; matches: () => boolean }>();

function listOf(query: string) {
  const known = lists.get(query);
  if (known !== undefined) return known;
  const media = matchMedia(query);
  const made = {
    subscribe: (tell: () => void) => {
      media.addEventListener('change', tell);
      return () => media.removeEventListener('change', tell);
    },
    matches: () => media.matches,
  };
  lists.set(query, made);
  return made;
}
