/** A button that opens a list of things to do. */
import { type ComponentType, createContext, lazy, type ReactNode, Suspense, useContext, useState } from 'react';
import { buttonLook } from './Button';

export type MenuProps = {
  label: ReactNode;
  name?: string;
  /** Something in it is chosen. */
  on?: boolean;
  /** No border until it is pointed at. */
  quiet?: boolean;
  children: ReactNode;
};
export type ItemProps = { onClick: () => void; disabled?: boolean; children: ReactNode };
export type CheckProps = { checked: boolean; onChange: (on: boolean) => void; children: ReactNode };

const load = () => import('./OpenMenu');
const OpenMenu = lazy(load);

/** From the menu to what is in it. */
export const MenuParts = createContext<{ Item: ComponentType<ItemProps>; Check: ComponentType<CheckProps> } | null>(
  null,
);

export function menuLook({ quiet, on }: Pick<MenuProps, 'quiet' | 'on'>): string {
  return `${buttonLook(quiet ? 'quiet' : 'plain')} ${on ? 'border-accent! bg-accent-soft!' : ''}`;
}

export function Menu(props: MenuProps) {
  const [wanted, setWanted] = useState(false);
  // after the click, which would be one outside of the menu that it opens
  const want = () => void setTimeout(() => setWanted(true));
  const closed = (
    <button
      type="button"
      className={menuLook(props)}
      aria-label={props.name}
      aria-haspopup="menu"
      aria-expanded={false}
      onPointerEnter={load}
      onFocus={load}
      onClick={want}
      onKeyDown={(event) => {
        if (event.key !== 'ArrowDown') return;
        event.preventDefault();
        want();
      }}
    >
      {props.label}
    </button>
  );
  if (!wanted) return closed;
  return (
    <Suspense fallback={closed}>
      <OpenMenu {...props} />
    </Suspense>
  );
}

export function MenuItem(props: ItemProps) {
  const parts = useContext(MenuParts);
  return parts && <parts.Item {...props} />;
}

/** One of several that may be on at once: the menu stays open. */
export function MenuCheck(props: CheckProps) {
  const parts = useContext(MenuParts);
  return parts && <parts.Check {...props} />;
}
