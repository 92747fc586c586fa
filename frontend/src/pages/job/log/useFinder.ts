/** Searching all lines that are here, while the person types and while lines come. */
import { useDeferredValue, useEffect, useRef, useState } from 'react';
import { Finder } from './finder';
import type { LogText } from './text';

/** `ids` grows in place while it is not done: its length is told apart. */
export type Found = { needle: string; ids: readonly number[]; count: number; done: boolean };

const NOTHING: Found = { needle: '', ids: [], count: 0, done: true };

/** `onFirst`: the first hits of another search are there. */
export function useFinder(
  text: LogText,
  version: number,
  typed: string,
  withTrace: boolean,
  onFirst: (ids: readonly number[]) => void,
): Found {
  const wanted = useDeferredValue(typed);
  const [found, setFound] = useState(NOTHING);
  const finder = useRef<{ key: string; finder: Finder; told: boolean }>(undefined);
  const first = useRef(onFirst);
  first.current = onFirst;

  // biome-ignore lint/correctness/useExhaustiveDependencies: goes on when the text has changed
  useEffect(() => {
    if (wanted === '') {
      finder.current = undefined;
      setFound(NOTHING);
      return;
    }
    const key = `${withTrace} ${wanted}`;
    if (finder.current?.key !== key) finder.current = { key, finder: new Finder(text, wanted, withTrace), told: false };
    const mine = finder.current;
    let timer: ReturnType<typeof setTimeout>;
    const go = () => {
      mine.finder.step();
      const { found: ids, done } = mine.finder;
      if (!mine.told && (done || ids.length > 0)) {
        mine.told = true;
        first.current(ids);
      }
      setFound({ needle: wanted.toLowerCase(), ids, count: ids.length, done });
      if (!done) timer = setTimeout(go, 4);
    };
    timer = setTimeout(go);
    return () => clearTimeout(timer);
  }, [text, version, wanted, withTrace]);

  return found;
}
