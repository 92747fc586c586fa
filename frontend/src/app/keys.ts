/** Keyboard shortcuts: a page says which keys it knows while it is shown. Typing into a field is never a shortcut. */
import { useNavigate } from '@tanstack/react-router';
import { useEffect, useEffectEvent } from 'react';

export type Keys = Record<string, (event: KeyboardEvent) => void>;

export function isTyping(target: EventTarget | null): boolean {
  if (target instanceof HTMLInputElement) return !/^(checkbox|radio|button|submit)$/.test(target.type);
  return target instanceof HTMLElement && (target.isContentEditable || /^(TEXTAREA|SELECT)$/.test(target.tagName));
}

/** `useKeys({ j: next, k: previous, '/': search })` */
export function useKeys(keys: Keys): void {
  const press = useEffectEvent((event: KeyboardEvent) => {
    if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
    // an open dialog or menu has the keyboard to itself
    if (document.querySelector('[role="dialog"], [role="menu"]') !== null) return;
    const act = keys[event.key];
    if (act === undefined) return;
    event.preventDefault();
    act(event);
  });
  useEffect(() => {
    const listener = (event: KeyboardEvent) => press(event);
    addEventListener('keydown', listener);
    return () => removeEventListener('keydown', listener);
  }, []);
}

export function useGlobalKeys(): void {
  const navigate = useNavigate();
  useKeys({
    n: () => void navigate({ to: '/new' }),
    '/': () => document.querySelector<HTMLElement>('[type="search"]')?.focus(),
  });
}
