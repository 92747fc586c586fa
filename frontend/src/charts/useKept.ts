/** State that this browser remembers. */
import { useState } from 'react';

function read(key: string): string | null {
  try {
    return localStorage.getItem(key);
  } catch {
    return null; // a browser that keeps nothing
  }
}

export function useKept<T>(
  key: string,
  parse: (text: string | null) => T,
  write: (value: T) => string,
): [T, (value: T) => void] {
  const [value, setValue] = useState(() => parse(read(key)));
  return [
    value,
    (changed) => {
      setValue(changed);
      try {
        localStorage.setItem(key, write(changed));
      } catch {
        // full, or forbidden: then it is for this visit
      }
    },
  ];
}
