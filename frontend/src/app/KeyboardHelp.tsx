/** The list of shortcuts, at `?`. */
import { lazy, Suspense, useState } from 'react';
import { useKeys } from './keys';

const Sheet = lazy(() => import('./KeyboardSheet'));

export function KeyboardHelp() {
  const [open, setOpen] = useState(false);
  useKeys({ '?': () => setOpen(true) });
  if (!open) return null;
  return (
    <Suspense>
      <Sheet onClose={() => setOpen(false)} />
    </Suspense>
  );
}
