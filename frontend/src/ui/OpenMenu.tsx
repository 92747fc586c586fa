/** What an open menu is made of. Loaded when one is first pointed at: it is half as large as all else on a page. */
import { Menu as Base } from '@base-ui/react/menu';
import type { CheckProps, ItemProps, MenuProps } from './Menu';
import { MenuParts, menuLook } from './Menu';

/** The menu from its first opening on. */
export default function OpenMenu(props: MenuProps) {
  return (
    <Base.Root modal={false} defaultOpen>
      <Base.Trigger className={menuLook(props)} aria-label={props.name}>
        {props.label}
      </Base.Trigger>
      <Base.Portal>
        <Base.Positioner align="end" sideOffset={4} className="z-50">
          <Base.Popup className="max-h-[60dvh] min-w-44 overflow-auto rounded-field border border-line bg-bg p-1 shadow-float">
            <MenuParts value={PARTS}>{props.children}</MenuParts>
          </Base.Popup>
        </Base.Positioner>
      </Base.Portal>
    </Base.Root>
  );
}

const ITEM = 'flex w-full items-center gap-2 rounded-field px-2 py-1.5 data-[highlighted]:bg-sunken';

function Item(props: ItemProps) {
  return (
    <Base.Item className={`${ITEM} data-[disabled]:opacity-50`} disabled={props.disabled} onClick={props.onClick}>
      {props.children}
    </Base.Item>
  );
}

function Check(props: CheckProps) {
  return (
    <Base.CheckboxItem className={ITEM} checked={props.checked} onCheckedChange={props.onChange} closeOnClick={false}>
      <span aria-hidden className="w-4 text-center">
        {props.checked ? '✓' : ''}
      </span>
      {props.children}
    </Base.CheckboxItem>
  );
}

const PARTS = { Item, Check };
