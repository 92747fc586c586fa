/** Light or dark: the person's choice, else the system's. public/first.js applies it before the first paint. */
import { useSyncExternalStore } from 'react';

export type Theme = 'light' | 'dark';

const KEPT = 'trainyard.theme';
const system = matchMedia('(prefers-color-scheme: dark)');
const listeners = new Set<() => void>();

function kept(): Theme | null {
  const found = localStorage.getItem(KEPT);
  return found === 'light' || found === 'dark' ? found : null;
}

function apply(): void {
  document.documentElement.dataset.theme = kept() ?? (system.matches ? 'dark' : 'light');
  for (const tell of listeners) tell();
}

export function watchTheme(): void {
  apply();
  system.addEventListener('change', apply);
}

export function toggleTheme(): void {
  localStorage.setItem(KEPT, theme() === 'dark' ? 'light' : 'dark');
  apply();
}

function theme(): Theme {
  return document.documentElement.dataset.theme === 'dark' ? 'dark' : 'light';
}

/** For what is drawn on a canvas, and has to be drawn anew. */
export function useTheme(): Theme {
  return useSyncExternalStore((tell) => {
    listeners.add(tell);
    return () => listeners.delete(tell);
  }, theme);
}
