/** Where pictures come in: dropped anywhere on the page, pasted, or chosen. */
import { type DragEvent, type ReactNode, useRef, useState } from 'react';
import { useWords } from '~/i18n/words';
import { Button } from '~/ui/Button';
import { tryWords } from './words';

const ACCEPTED = 'image/jpeg,image/png,image/webp,image/bmp,image/gif,image/tiff,.tif,.tiff';

export function ChooseFiles(props: { kind: 'plain' | 'primary'; label: string; onFiles: (files: File[]) => void }) {
  const input = useRef<HTMLInputElement>(null);
  return (
    <>
      <input
        ref={input}
        type="file"
        multiple
        hidden
        accept={ACCEPTED}
        data-testid="pictures"
        onChange={(event) => {
          props.onFiles([...(event.target.files ?? [])]);
          event.target.value = ''; // the same file may be chosen again
        }}
      />
      <Button kind={props.kind} onClick={() => input.current?.click()}>
        {props.label}
      </Button>
    </>
  );
}

const carriesFiles = (event: DragEvent) => event.dataTransfer.types.includes('Files');

/** Takes what is dropped on anything inside. */
export function DropArea({ onFiles, children }: { onFiles: (files: File[]) => void; children: ReactNode }) {
  const words = useWords(tryWords);
  const [over, setOver] = useState(false);
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: dropping has a button beside it that does the same
    <div
      className="relative flex min-w-0 flex-1 flex-col"
      onDragOver={(event) => {
        if (!carriesFiles(event)) return;
        event.preventDefault();
        setOver(true);
      }}
      onDragLeave={(event) => {
        if (!event.currentTarget.contains(event.relatedTarget as Node | null)) setOver(false);
      }}
      onDrop={(event) => {
        event.preventDefault();
        setOver(false);
        onFiles([...event.dataTransfer.files]);
      }}
    >
      {children}
      {over && (
        <div className="pointer-events-none absolute inset-0 z-10 grid place-items-center border-2 border-accent border-dashed bg-bg/80 text-title">
          {words.dropNow}
        </div>
      )}
    </div>
  );
}
