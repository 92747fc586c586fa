/** Files dropped anywhere on the page. */
import { useEffect, useEffectEvent, useState } from 'react';
import { dropped, type Picked } from './picked';

const holdsFiles = (event: DragEvent) => event.dataTransfer?.types.includes('Files') ?? false;

/** Whether something is held over the page; `take` gets what was dropped, once folders are read. */
export function useDrop(enabled: boolean, take: (picked: Promise<Picked>) => void): boolean {
  const [over, setOver] = useState(false);
  const taken = useEffectEvent(take);
  useEffect(() => {
    if (!enabled) return;
    // entering a child comes before leaving its parent: count
    let inside = 0;
    const enter = (event: DragEvent) => {
      if (!holdsFiles(event)) return;
      event.preventDefault();
      inside += 1;
      setOver(true);
    };
    const move = (event: DragEvent) => {
      if (holdsFiles(event)) event.preventDefault();
    };
    const leave = () => {
      inside = Math.max(0, inside - 1);
      if (inside === 0) setOver(false);
    };
    const drop = (event: DragEvent) => {
      inside = 0;
      setOver(false);
      if (!holdsFiles(event) || event.dataTransfer === null) return;
      event.preventDefault();
      taken(dropped(event.dataTransfer));
    };
    addEventListener('dragenter', enter);
    addEventListener('dragover', move);
    addEventListener('dragleave', leave);
    addEventListener('drop', drop);
    return () => {
      removeEventListener('dragenter', enter);
      removeEventListener('dragover', move);
      removeEventListener('dragleave', leave);
      removeEventListener('drop', drop);
    };
  }, [enabled]);
  return over;
}
