/** What the sections of the settings are made of. */
import { type ReactNode, useState } from 'react';
import { useWords } from '~/i18n/words';
import { Button } from '~/ui/Button';
import { copyText } from '~/ui/Copy';
import { Dialog } from '~/ui/Dialog';
import { Rich } from '~/ui/Rich';
import { Failure } from '~/ui/Told';
import { settingsWords } from './words';

export function Section({ title, help, children }: { title: string; help?: string; children: ReactNode }) {
  return (
    <section className="flex flex-col gap-3">
      <div>
        <h2 className="m-0 text-title">{title}</h2>
        {help && (
          <p className="m-0 text-muted">
            <Rich text={help} />
          </p>
        )}
      </div>
      {children}
    </section>
  );
}

export function Rows({ empty, children }: { empty: string; children: ReactNode[] }) {
  if (children.length === 0) return <p className="m-0 text-muted">{empty}</p>;
  return <ul className="panel m-0 list-none divide-y divide-line p-0">{children}</ul>;
}

export function Row({ main, facts, actions }: { main: ReactNode; facts?: ReactNode; actions?: ReactNode }) {
  return (
    <li className="flex flex-wrap items-center gap-x-4 gap-y-1 px-3 py-2">
      <div className="min-w-40 flex-1">
        <div className="font-strong">{main}</div>
        {facts && <div className="flex flex-wrap gap-x-4 text-muted text-small">{facts}</div>}
      </div>
      <div className="flex flex-wrap gap-2">{actions}</div>
    </li>
  );
}

/** A secret that is shown this once. */
export function Once({ note, secret, onClose }: { note: string; secret: string; onClose: () => void }) {
  const words = useWords(settingsWords);
  const [copied, setCopied] = useState(false);
  const copy = async () => {
    await copyText(secret);
    setCopied(true);
  };
  return (
    <div role="status" className="panel flex flex-col gap-2 border-accent bg-accent-soft p-3">
      <p className="m-0">{note}</p>
      <code className="select-all break-all font-mono">{secret}</code>
      <div className="flex gap-2">
        <Button onClick={() => void copy()}>{copied ? words.copied : words.copy}</Button>
        <Button kind="quiet" onClick={onClose}>
          {words.close}
        </Button>
      </div>
    </div>
  );
}

/** A button that asks once more before it does what can't be taken back. */
export function Sure(props: { label: string; question: string; error: unknown; onYes: () => Promise<unknown> }) {
  const words = useWords(settingsWords);
  const [open, setOpen] = useState(false);
  const yes = async () => {
    try {
      await props.onYes();
      setOpen(false);
    } catch {
      // the dialog stays and shows the error
    }
  };
  return (
    <>
      <Button kind="quiet" onClick={() => setOpen(true)}>
        {props.label}
      </Button>
      <Dialog
        open={open}
        onClose={() => setOpen(false)}
        title={props.question}
        actions={
          <>
            <Button onClick={() => setOpen(false)}>{words.cancel}</Button>
            <Button kind="danger" onClick={() => void yes()}>
              {props.label}
            </Button>
          </>
        }
      >
        {props.error !== null && <Failure error={props.error} />}
      </Dialog>
    </>
  );
}
