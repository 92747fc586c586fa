/** Which rows of a long list are to be there: all are equally high, so that two divisions say it. */
import { useCallback, useEffect, useRef, useState } from 'react';

const AROUND = 10; // rows beyond either edge: scrolling shows no gap before they are drawn
const STEP = 4; // rows in which the window moves: not every pixel is a render

export type Window = { from: number; to: number };

/** The rows `from` up to, but without, `to`. `head` stays above the rows while they scroll below it. */
export function windowOf(scrolled: number, room: number, height: number, head: number): Window {
  const first = Math.floor(scrolled / height);
  const last = Math.ceil((scrolled + Math.max(0, room - head)) / height);
  const down = (row: number) => Math.floor(row / STEP) * STEP;
  return { from: Math.max(0, down(first - AROUND)), to: down(last + AROUND) + STEP };
}

/** How far to scroll for a row to be seen whole, null where it is. */
export function scrollFor(row: number, scrolled: number, room: number, height: number, head: number): number | null {
  const top = row * height;
  if (top < scrolled) return top;
  const below = top + height - Math.max(height, room - head);
  return below > scrolled ? below : null;
}

export function useWindow(height: number, head: number) {
  const scroller = useRef<HTMLDivElement>(null);
  const [rows, setRows] = useState<Window>({ from: 0, to: 32 });
  const [scrolled, setScrolled] = useState(false);
  useEffect(() => {
    const box = scroller.current;
    if (box === null) return;
    const look = () => {
      const next = windowOf(box.scrollTop, box.clientHeight, height, head);
      setRows((before) => (before.from === next.from && before.to === next.to ? before : next));
      setScrolled(box.scrollTop > 1);
    };
    look();
    box.addEventListener('scroll', look, { passive: true });
    const watch = new ResizeObserver(look);
    watch.observe(box);
    return () => {
      box.removeEventListener('scroll', look);
      watch.disconnect();
    };
  }, [height, head]);

  const reveal = useCallback(
    (row: number) => {
      const box = scroller.current;
      const top = box && scrollFor(row, box.scrollTop, box.clientHeight, height, head);
      if (box !== null && top !== null) box.scrollTop = top;
    },
    [height, head],
  );
  const toTop = useCallback(() => {
    if (scroller.current !== null) scroller.current.scrollTop = 0;
  }, []);
  return { scroller, rows, scrolled, reveal, toTop };
}
