/** Names and values, two columns where there is room. What nobody knows is left out. */
import type { ReactNode } from 'react';

export function Section({ title, extra, children }: { title: string; extra?: ReactNode; children: ReactNode }) {
  return (
    <section aria-label={title} className="panel flex min-w-0 flex-col">
      <header className="flex min-h-10 flex-wrap items-center gap-x-3 gap-y-1 border-line border-b px-3 py-1">
        <h2 className="m-0 text-body">{title}</h2>
        {extra && <div className="ml-auto flex flex-wrap items-center gap-2">{extra}</div>}
      </header>
      {children}
    </section>
  );
}

export type Fact = [name: string, value: ReactNode];

export function Facts({ facts }: { facts: readonly Fact[] }) {
  const known = facts.filter(([, value]) => value !== null && value !== undefined && value !== '');
  return (
    <dl className="m-0 grid grid-cols-[minmax(6rem,auto)_minmax(0,1fr)] gap-x-4 gap-y-1.5 p-3">
      {known.map(([name, value]) => (
        <div key={name} className="contents">
          <dt className="text-muted">{name}</dt>
          <dd className="m-0 min-w-0 [overflow-wrap:anywhere]">{value}</dd>
        </div>
      ))}
    </dl>
  );
}

/** A table's rows of two texts, in monospace. */
export function Rows({ label, rows }: { label: string; rows: readonly (readonly [string, string])[] }) {
  return (
    <section
      aria-label={label}
      // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, so the keyboard has to get at it
      tabIndex={0}
      className="max-h-80 overflow-auto"
    >
      <dl className="m-0 grid grid-cols-[minmax(0,auto)_minmax(0,1fr)] gap-x-4 gap-y-0.5 px-3 py-2 font-mono text-small">
        {rows.map(([name, value]) => (
          <div key={name} className="contents">
            <dt className="min-w-0 text-muted">{name}</dt>
            <dd className="m-0 min-w-0">{value}</dd>
          </div>
        ))}
      </dl>
    </section>
  );
}
