/** How this person likes logs shown; kept in the browser. */
import { useState } from 'react';

export type LogOptions = { wrap: boolean; trace: boolean; times: boolean };

const KEPT = 'trainyard.log';
const AT_FIRST: LogOptions = { wrap: false, trace: false, times: false };

export function readOptions(kept: string | null): LogOptions {
  try {
    const found: unknown = JSON.parse(kept ?? '{}');
    if (typeof found !== 'object' || found === null) return AT_FIRST;
    const known = Object.entries(found).filter(([name, value]) => name in AT_FIRST && typeof value === 'boolean');
    return { ...AT_FIRST, ...Object.fromEntries(known) };
  } catch {
    return AT_FIRST;
  }
}

export function useLogOptions(): [LogOptions, (changed: Partial<LogOptions>) => void] {
  const [options, setOptions] = useState(() => readOptions(localStorage.getItem(KEPT)));
  const change = (changed: Partial<LogOptions>) => {
    const next = { ...options, ...changed };
    localStorage.setItem(KEPT, JSON.stringify(next));
    setOptions(next);
  };
  return [options, change];
}
