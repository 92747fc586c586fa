/** A window over the page: focus stays inside, Esc closes it. */
import { Dialog as Base } from '@base-ui/react/dialog';
import type { ReactNode } from 'react';

export function Dialog(props: {
  open: boolean;
  onClose: () => void;
  title: ReactNode;
  children: ReactNode;
  /** Buttons, the one that is meant last. */
  actions?: ReactNode;
  wide?: boolean;
}) {
  return (
    <Base.Root open={props.open} onOpenChange={(open) => !open && props.onClose()}>
      <Base.Portal>
        <Base.Backdrop className="fixed inset-0 z-40 bg-[rgb(0_0_0/0.4)]" />
        <Base.Popup
          className={`-translate-x-1/2 -translate-y-1/2 fixed top-1/2 left-1/2 z-50 flex max-h-[90dvh] w-[92vw] flex-col gap-3 overflow-auto rounded-field border border-line bg-bg p-4 shadow-float ${props.wide ? 'max-w-4xl' : 'max-w-md'}`}
        >
          <Base.Title className="m-0 text-title">{props.title}</Base.Title>
          {props.children}
          {props.actions && <div className="flex flex-wrap justify-end gap-2">{props.actions}</div>}
        </Base.Popup>
      </Base.Portal>
    </Base.Root>
  );
}
