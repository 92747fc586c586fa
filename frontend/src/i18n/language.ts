/** The language of the page: the person's choice, else the browser's. */
import { useSyncExternalStore } from 'react';

export type Language = 'en' | 'ko';

const KEPT = 'trainyard.language';
const listeners = new Set<() => void>();

export function language(): Language {
  return document.documentElement.lang === 'ko' ? 'ko' : 'en';
}

export function setLanguage(chosen: Language): void {
  document.documentElement.lang = chosen;
  localStorage.setItem(KEPT, chosen);
  for (const tell of listeners) tell();
}

function subscribe(tell: () => void): () => void {
  listeners.add(tell);
  return () => listeners.delete(tell);
}

export function useLanguage(): Language {
  return useSyncExternalStore(subscribe, language);
}
