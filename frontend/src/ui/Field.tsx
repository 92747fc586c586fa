/** A label, what is below it, and what is wrong with it beside it. */
import { type ReactNode, useId } from 'react';

type Wired = { id: string; 'aria-invalid': boolean | undefined; 'aria-describedby': string | undefined };

/** `children` makes the input from the attributes that tie it to its label and its message. */
export function Field(props: {
  label: ReactNode;
  help?: ReactNode;
  error?: ReactNode;
  extra?: ReactNode;
  children: (wired: Wired) => ReactNode;
}) {
  const id = useId();
  const told = props.error || props.help ? `${id}-told` : undefined;
  return (
    <div className="flex flex-col gap-1">
      <div className="flex items-baseline justify-between gap-2">
        <label htmlFor={id} className="font-strong">
          {props.label}
        </label>
        {props.extra}
      </div>
      {props.children({ id, 'aria-invalid': props.error ? true : undefined, 'aria-describedby': told })}
      {told !== undefined && (
        <p id={told} className={`m-0 text-small ${props.error ? 'text-failed' : 'text-muted'}`}>
          {props.error || props.help}
        </p>
      )}
    </div>
  );
}
