/** One picture as large as the window; arrows lead to its neighbours. */
import { Dialog } from '@base-ui/react/dialog';
import { useRef } from 'react';
import { useFormat } from '~/format/format';
import { useWords } from '~/i18n/words';
import { classColour } from '~/pictures/boxes';
import { Overlay } from '~/pictures/Overlay';
import { Button, buttonLook } from '~/ui/Button';
import { Skeleton } from '~/ui/Told';
import { problemWords } from '../problemWords';
import type { Picture } from '../queries';
import { datasetWords } from '../words';
import { stepOf } from './layout';
import { boxesOf, isReadable, isUnopened } from './Tile';

const NOT_SHOWN_BY_BROWSERS = /\.tiff?$/i;

export function FullScreen(props: {
  picture: Picture | undefined;
  position: number;
  total: number;
  labels: boolean;
  onMove: (position: number) => void;
  onClose: () => void;
}) {
  const { picture, position, total } = props;
  const words = useWords(datasetWords);
  const format = useFormat();
  const popup = useRef<HTMLDivElement>(null);
  return (
    <Dialog.Root open onOpenChange={(open) => !open && props.onClose()}>
      <Dialog.Portal>
        <Dialog.Popup
          ref={popup}
          initialFocus={popup}
          // the one it was opened from may be out of sight
          finalFocus={() => document.querySelector<HTMLElement>(`[data-position="${position}"]`)}
          className="fixed inset-0 z-50 flex flex-col bg-bg outline-none"
          onKeyDown={(event) => {
            const to = stepOf(event.key, position, total);
            if (to === null) return;
            event.preventDefault();
            if (to !== position) props.onMove(to);
          }}
        >
          <header className="flex items-center gap-2 border-line border-b px-3 py-2">
            <Dialog.Title className="m-0 min-w-0 flex-1 truncate text-body">{picture?.name ?? ''}</Dialog.Title>
            <span className="whitespace-nowrap text-muted">
              {words.placeOf(format.count(position + 1), format.count(total))}
            </span>
            <Button
              aria-label={words.previous}
              title={words.previous}
              disabled={position === 0}
              onClick={() => props.onMove(position - 1)}
            >
              ←
            </Button>
            <Button
              aria-label={words.next}
              title={words.next}
              disabled={position === total - 1}
              onClick={() => props.onMove(position + 1)}
            >
              →
            </Button>
            <Button aria-label={words.close} title={words.close} onClick={props.onClose}>
              ✕
            </Button>
          </header>
          <div className="flex min-h-0 flex-1 flex-col overflow-auto desk:flex-row">
            <div className="flex min-h-0 flex-1 items-center justify-center bg-sunken p-2">
              {picture === undefined ? (
                <Skeleton className="h-64 w-96" />
              ) : (
                <Large picture={picture} labels={props.labels} />
              )}
            </div>
            {picture && <About picture={picture} />}
          </div>
        </Dialog.Popup>
      </Dialog.Portal>
    </Dialog.Root>
  );
}

function Large({ picture, labels }: { picture: Picture; labels: boolean }) {
  const words = useWords(datasetWords);
  const src = NOT_SHOWN_BY_BROWSERS.test(picture.name) ? picture.thumbnail_url : picture.url;
  if (isUnopened(picture))
    return <img key={picture.index} src={src} alt={picture.name} className="max-h-full max-w-full" />;
  if (!isReadable(picture)) return <p className="text-failed">{words.unreadable}</p>;
  return (
    <Overlay
      key={picture.index}
      src={src}
      width={picture.width}
      height={picture.height}
      unit="share"
      alt={picture.name}
      boxes={labels ? boxesOf(picture) : []}
      maxHeight="calc(100dvh - 80px)"
    />
  );
}

function About({ picture }: { picture: Picture }) {
  const words = useWords(datasetWords);
  const problems = useWords(problemWords);
  const format = useFormat();
  const counts = new Map<string, number>();
  for (const { label } of picture.labels) counts.set(label, (counts.get(label) ?? 0) + 1);
  return (
    <aside className="flex shrink-0 flex-col gap-3 border-line border-t p-3 desk:w-72 desk:overflow-auto desk:border-t-0 desk:border-l">
      <p className="m-0 text-muted">
        {[picture.split, isReadable(picture) && `${picture.width} × ${picture.height}`].filter(Boolean).join(' · ')}
      </p>
      {counts.size === 0 ? (
        <p className="m-0 text-muted">{words.nothingOn}</p>
      ) : (
        <ul aria-label={words.classes} className="m-0 list-none p-0">
          {[...counts].map(([label, count]) => (
            <li key={label} className="flex items-baseline gap-2">
              <span aria-hidden className="size-2.5 shrink-0 rounded-full" style={{ background: classColour(label) }} />
              <span className="min-w-0 flex-1">{label}</span>
              {count > 1 && <span className="text-muted">{format.count(count)}</span>}
            </li>
          ))}
        </ul>
      )}
      {picture.problems.map((code) => (
        <div key={code} className="rounded-field bg-warning-soft p-2">
          <span className="font-strong">{problems[code]}</span>
          <span className="block">{problems[`${code}_do`]}</span>
        </div>
      ))}
      <a href={picture.url} target="_blank" rel="noreferrer" className={`${buttonLook()} self-start`}>
        {words.original}
      </a>
    </aside>
  );
}
