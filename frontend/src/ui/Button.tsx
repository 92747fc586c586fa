/** Something to press. `primary` is the one thing a page is about; `danger` can't be taken back. */
import type { ComponentProps } from 'react';

type Kind = 'plain' | 'primary' | 'danger' | 'quiet';

const LOOK: Record<Kind, string> = {
  plain: 'border-line-strong bg-bg hover:bg-raised',
  primary: 'border-accent bg-accent text-on-accent hover:border-accent-strong hover:bg-accent-strong',
  danger: 'border-failed bg-bg text-failed hover:bg-failed-soft',
  quiet: 'border-transparent bg-transparent hover:bg-sunken',
};

const SHAPE =
  'inline-flex min-h-8 items-center justify-center gap-1.5 whitespace-nowrap rounded-field border px-3 py-1 font-strong ' +
  'no-underline disabled:cursor-not-allowed disabled:opacity-50 aria-disabled:cursor-not-allowed aria-disabled:opacity-50';

/** The same look for a link. */
export function buttonLook(kind: Kind = 'plain'): string {
  return `${SHAPE} ${LOOK[kind]}`;
}

export function Button({ kind = 'plain', className = '', ...rest }: ComponentProps<'button'> & { kind?: Kind }) {
  return <button type="button" className={`${buttonLook(kind)} ${className}`} {...rest} />;
}
