/** A button that opens a list of things to do. */
import { Menu as Base } from '@base-ui/react/menu';
import type { ReactNode } from 'react';
import { buttonLook } from './Button';

export function Menu({ label, name, children }: { label: ReactNode; name?: string; children: ReactNode }) {
  return (
    <Base.Root modal={false}>
      <Base.Trigger className={buttonLook()} aria-label={name}>
        {label}
      </Base.Trigger>
      <Base.Portal>
        <Base.Positioner align="end" sideOffset={4} className="z-50">
          <Base.Popup className="max-h-[60dvh] min-w-44 overflow-auto rounded-field border border-line bg-bg p-1 shadow-float">
            {children}
          </Base.Popup>
        </Base.Positioner>
      </Base.Portal>
    </Base.Root>
  );
}

const ITEM = 'flex w-full items-center gap-2 rounded-field px-2 py-1.5 data-[highlighted]:bg-sunken';

export function MenuItem(props: { onClick: () => void; disabled?: boolean; children: ReactNode }) {
  return (
    <Base.Item className={`${ITEM} data-[disabled]:opacity-50`} disabled={props.disabled} onClick={props.onClick}>
      {props.children}
    </Base.Item>
  );
}

/** One of several that may be on at once: the menu stays open. */
export function MenuCheck(props: { checked: boolean; onChange: (on: boolean) => void; children: ReactNode }) {
  return (
    <Base.CheckboxItem className={ITEM} checked={props.checked} onCheckedChange={props.onChange} closeOnClick={false}>
      <span aria-hidden className="w-4 text-center">
        {props.checked ? '✓' : ''}
      </span>
      {props.children}
    </Base.CheckboxItem>
  );
}
