/** One sample as large as the window: arrow keys go to other pictures and other epochs. */
import { Dialog as Base } from '@base-ui/react/dialog';
import type { KeyboardEvent } from 'react';
import { useFormat } from '~/format/format';
import { useWords } from '~/i18n/words';
import { Classes } from '~/pictures/Classes';
import { Button } from '~/ui/Button';
import { EpochSlider, Layers } from './Controls';
import type { Shown } from './marks';
import { SamplePicture } from './SamplePicture';
import type { Epoch, Sample } from './samples';
import { Verdict } from './Verdict';
import { pictureWords } from './words';

type Props = {
  epochs: readonly Epoch[];
  at: number;
  items: readonly Sample[];
  sample: Sample;
  shown: Shown;
  detection: boolean;
  onShown: (shown: Shown) => void;
  onMove: (at: number) => void;
  onPick: (sample: Sample) => void;
  onClose: () => void;
};

export default function Viewer(props: Props) {
  const words = useWords(pictureWords);
  const format = useFormat();
  const { epochs, at, items, sample, detection } = props;
  const place = items.findIndex((item) => item.index === sample.index);
  const epoch = epochs[at]?.epoch ?? 0;
  const step = (by: number) => {
    const next = items[(place + by + items.length) % items.length];
    if (next !== undefined) props.onPick(next);
  };
  const move = (by: number) => props.onMove(Math.min(epochs.length - 1, Math.max(0, at + by)));
  const onKeyDown = (event: KeyboardEvent) => {
    const onSlider = event.target instanceof HTMLInputElement && event.target.type === 'range';
    const acts: Record<string, () => void> = {
      ArrowLeft: () => step(-1),
      ArrowRight: () => step(1),
      ArrowUp: () => move(1),
      ArrowDown: () => move(-1),
    };
    const act = onSlider ? undefined : acts[event.key];
    if (act === undefined) return;
    event.preventDefault();
    act();
  };

  return (
    <Base.Root open onOpenChange={(open) => !open && props.onClose()}>
      <Base.Portal>
        <Base.Popup className="fixed inset-0 z-50 flex flex-col bg-bg" onKeyDown={onKeyDown}>
          <header className="flex flex-wrap items-center gap-x-4 gap-y-1 border-line border-b px-4 py-2">
            <Base.Title className="m-0 text-title">
              {words.title(format.count(place + 1), format.count(items.length), format.count(epoch))}
            </Base.Title>
            {detection && <Layers shown={props.shown} onShown={props.onShown} />}
            <div className="ml-auto flex items-center gap-1">
              <Button kind="quiet" aria-label={words.previous} title={words.previous} onClick={() => step(-1)}>
                <span aria-hidden>←</span>
              </Button>
              <Button kind="quiet" aria-label={words.next} title={words.next} onClick={() => step(1)}>
                <span aria-hidden>→</span>
              </Button>
              <Button onClick={props.onClose}>{words.close}</Button>
            </div>
          </header>
          <div className="grid min-h-0 flex-1 place-items-center overflow-hidden bg-sunken p-2">
            <SamplePicture sample={sample} epoch={epoch} shown={props.shown} maxHeight="calc(100dvh - 12rem)" labels />
          </div>
          <footer className="flex flex-wrap items-center gap-x-6 gap-y-1 border-line border-t px-4 py-2">
            <EpochSlider epochs={epochs} at={at} onMove={props.onMove} />
            {!detection && (
              <div className="flex min-w-60 flex-1 flex-col gap-1">
                <Verdict sample={sample} />
                {sample.found.length > 1 && (
                  <Classes
                    label={words.found}
                    items={sample.found.map(({ label, confidence }) => ({ label, share: confidence }))}
                  />
                )}
              </div>
            )}
            <span className="hidden text-muted text-small wide:inline">{words.keys}</span>
          </footer>
        </Base.Popup>
      </Base.Portal>
    </Base.Root>
  );
}
