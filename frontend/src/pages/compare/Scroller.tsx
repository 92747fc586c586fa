/** A part of the page that may be wider than there is room: it scrolls by itself, by keyboard, too. */
import type { ReactNode } from 'react';

export function Scroller({ label, className, children }: { label: string; className: string; children: ReactNode }) {
  return (
    // biome-ignore lint/a11y/useSemanticElements: a group of things to look at, not of fields
    // biome-ignore lint/a11y/noNoninteractiveTabindex: as said above
    <div role="group" aria-label={label} tabIndex={0} className={`relative min-w-0 overflow-auto ${className}`}>
      {children}
    </div>
  );
}
