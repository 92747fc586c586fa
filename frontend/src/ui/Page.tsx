/** The frame of a page: its title, what can be done on it, and its content. */
import { type ReactNode, useEffect } from 'react';

export function Page(props: { title: string; heading?: ReactNode; actions?: ReactNode; children: ReactNode }) {
  useDocumentTitle(props.title);
  return (
    <div className="flex min-h-full flex-col">
      <header className="flex min-h-14 flex-wrap items-center gap-x-3 gap-y-2 border-line border-b px-4 py-2">
        <h1 className="m-0 min-w-0 text-title">{props.heading ?? props.title}</h1>
        <div className="ml-auto flex flex-wrap items-center gap-2">{props.actions}</div>
      </header>
      {props.children}
    </div>
  );
}

/** What the browser calls this tab. */
export function useDocumentTitle(title: string): void {
  useEffect(() => {
    document.title = `${title} · trainyard`;
  }, [title]);
}
