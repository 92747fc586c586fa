/** The lines that a selection begins and ends in stay drawn while it lasts, also when they are scrolled out of view. */
import { type RefObject, useEffect, useEffectEvent, useState } from 'react';

const MOST = 3_000;

type Held = { from: number; to: number };

/** `onSelect`: a selection was begun. */
export function useHeldRows(pane: RefObject<HTMLElement | null>, onSelect: () => void): Held | null {
  const [held, setHeld] = useState<Held | null>(null);
  const look = useEffectEvent(() => {
    const found = selectedLines(pane.current);
    if (found !== null && held === null) onSelect();
    if (found?.from !== held?.from || found?.to !== held?.to) setHeld(found);
  });
  useEffect(() => {
    const listener = () => look();
    document.addEventListener('selectionchange', listener);
    return () => document.removeEventListener('selectionchange', listener);
  }, []);
  return held;
}

function selectedLines(pane: HTMLElement | null): Held | null {
  const selection = getSelection();
  if (pane === null || selection === null || selection.isCollapsed) return null;
  const one = lineOf(selection.anchorNode, pane);
  const other = lineOf(selection.focusNode, pane);
  if (one === null || other === null || Math.abs(one - other) > MOST) return null;
  return { from: Math.min(one, other), to: Math.max(one, other) };
}

function lineOf(node: Node | null, pane: HTMLElement): number | null {
  const element = node instanceof Element ? node : node?.parentElement;
  const row = element?.closest<HTMLElement>('[data-line]');
  return row && pane.contains(row) ? Number(row.dataset.line) : null;
}
