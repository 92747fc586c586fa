/** A box to tick, and what it stands for. */
import type { ReactNode } from 'react';

export function Check(props: {
  label: ReactNode;
  on: boolean;
  onChange: (on: boolean) => void;
  /** Beyond its usual look. */
  className?: string;
}) {
  return (
    <label className={`flex items-center gap-2 ${props.className ?? ''}`}>
      <input
        type="checkbox"
        className="size-4 accent-accent"
        checked={props.on}
        onChange={(event) => props.onChange(event.target.checked)}
      />
      {props.label}
    </label>
  );
}
