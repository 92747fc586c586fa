/** One of several, each with a word about it: radio buttons that look like cards. What can't be chosen says why. */
import { type ReactNode, useId } from 'react';

export function Choices(props: {
  legend: ReactNode;
  /** Beside the legend: a mark, a button. */
  extra?: ReactNode;
  error?: ReactNode;
  className?: string;
  children: ReactNode;
}) {
  const id = useId();
  return (
    <div
      role="radiogroup"
      tabIndex={-1}
      aria-labelledby={id}
      aria-invalid={props.error ? true : undefined}
      aria-describedby={props.error ? `${id}-told` : undefined}
      className="flex min-w-0 flex-col gap-1.5 rounded-field outline-offset-4"
    >
      <div className="flex flex-wrap items-baseline justify-between gap-2">
        <span id={id} className="font-strong">
          {props.legend}
        </span>
        {props.extra}
      </div>
      <div className={props.className ?? 'grid gap-2'}>{props.children}</div>
      {props.error && (
        <p id={`${id}-told`} className="m-0 text-failed text-small">
          {props.error}
        </p>
      )}
    </div>
  );
}

export function Choice(props: {
  /** The same for all of a group. */
  group: string;
  value: string;
  checked: boolean;
  onChoose: () => void;
  title: ReactNode;
  /** A short mark at the right of the title. */
  mark?: ReactNode;
  /** Why it can't be chosen. */
  unfit?: ReactNode;
  children?: ReactNode;
}) {
  const id = useId();
  const disabled = Boolean(props.unfit);
  const about = Boolean(props.children) || disabled;
  // a choice that does not fit any more stays chosen: it is marked, and others can be chosen instead
  const locked = disabled && !props.checked;
  return (
    <label
      className={`flex min-w-0 items-start gap-2 rounded-field border p-2.5 has-focus-visible:outline-2 has-focus-visible:outline-focus ${
        props.checked ? 'border-accent bg-accent-soft' : locked ? 'border-line' : 'border-line hover:border-line-strong'
      } ${locked ? 'cursor-not-allowed bg-raised text-muted' : 'cursor-pointer'}`}
    >
      <input
        type="radio"
        name={props.group}
        value={props.value}
        checked={props.checked}
        disabled={locked}
        onChange={props.onChoose}
        aria-labelledby={id}
        aria-describedby={about ? `${id}-about` : undefined}
        className="mt-0.5 size-4 shrink-0 accent-accent outline-none"
      />
      <span className="flex min-w-0 flex-1 flex-col">
        <span className="flex items-baseline justify-between gap-2">
          <span id={id} className="min-w-0 font-strong">
            {props.title}
          </span>
          {props.mark && <span className="shrink-0 text-muted text-small">{props.mark}</span>}
        </span>
        <span id={`${id}-about`} className="flex flex-col text-muted text-small empty:hidden">
          {props.children && <span>{props.children}</span>}
          {disabled && <span className={props.checked ? 'text-failed' : ''}>{props.unfit}</span>}
        </span>
      </span>
    </label>
  );
}
