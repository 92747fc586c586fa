/** What the model made of some validation pictures, epoch by epoch. */
import { lazy, Suspense, useMemo, useState } from 'react';
import type { Job } from '~/api/client';
import { useFormat } from '~/format/format';
import { useWords } from '~/i18n/words';
import { Empty, Failure, Skeleton } from '~/ui/Told';
import { ClassToggles, EpochSlider, Layers } from './Controls';
import { classesOf, epochAt, isDetection, type Shown, seen, verdictOf } from './marks';
import { type Epoch, useSamples } from './samples';
import { Tile } from './Tile';
import { pictureWords } from './words';

const Viewer = lazy(() => import('./Viewer'));
const ENDED = new Set(['SUCCEEDED', 'FAILED', 'CANCELLED']);
const GRID = 'm-0 grid list-none grid-cols-[repeat(auto-fill,minmax(max(9rem,min(20rem,22%)),1fr))] gap-3 p-0';

export function PicturesTab({ job }: { job: Job }) {
  const words = useWords(pictureWords);
  const { data, error, refetch } = useSamples(job.id);
  if (data === undefined)
    return (
      <div className="p-4">
        {error === null ? (
          <div className={GRID}>
            {[0, 1, 2, 3].map((n) => (
              <Skeleton key={n} className="aspect-square w-full" />
            ))}
          </div>
        ) : (
          <Failure error={error} onRetry={() => void refetch()} />
        )}
      </div>
    );
  if (data.epochs.length > 0) return <Gallery epochs={data.epochs} />;
  const ended = ENDED.has(job.state);
  return (
    <Empty title={ended ? words.never : words.waiting}>
      {job.callbacks ? (ended ? words.neverHelp : words.waitingHelp) : words.script}
    </Empty>
  );
}

function Gallery({ epochs }: { epochs: readonly Epoch[] }) {
  const words = useWords(pictureWords);
  const format = useFormat();
  // null: the newest, also when another comes
  const [chosen, setChosen] = useState<number | null>(null);
  const [shown, setShown] = useState<Shown>({ truth: true, found: true, hidden: new Set() });
  const [open, setOpen] = useState<number | null>(null);
  const detection = useMemo(() => isDetection(epochs), [epochs]);
  const classes = useMemo(() => classesOf(epochs), [epochs]);
  const at = epochAt(epochs, chosen);
  const epoch = epochs[at];
  if (epoch === undefined) return null;

  const items = seen(epoch.items, detection, shown.hidden);
  const opened = items.find((item) => item.index === open);
  const move = (to: number) => setChosen(to === epochs.length - 1 ? null : (epochs[to]?.epoch ?? null));
  const judged = detection ? [] : items.map(verdictOf).filter(({ right }) => right !== null);

  return (
    <section aria-label={words.pictures} className="flex flex-col gap-3 p-4">
      <div className="flex flex-wrap items-center gap-x-6 gap-y-2">
        <EpochSlider epochs={epochs} at={at} onMove={move} />
        {detection && <Layers shown={shown} onShown={setShown} />}
        {judged.length > 0 && (
          <span className="text-muted">
            {words.rightOf(format.count(judged.filter(({ right }) => right).length), format.count(judged.length))}
          </span>
        )}
      </div>
      {classes.length > 1 && (
        <ClassToggles classes={classes} hidden={shown.hidden} onHidden={(hidden) => setShown({ ...shown, hidden })} />
      )}
      {items.length === 0 ? (
        <p className="m-0 py-12 text-center text-muted">{words.noneSeen}</p>
      ) : (
        <ul aria-label={words.pictures} className={GRID}>
          {items.map((sample) => (
            <Tile
              key={sample.index}
              sample={sample}
              epoch={epoch.epoch}
              shown={shown}
              detection={detection}
              onOpen={() => setOpen(sample.index)}
            />
          ))}
        </ul>
      )}
      {opened !== undefined && (
        <Suspense>
          <Viewer
            epochs={epochs}
            at={at}
            items={items}
            sample={opened}
            shown={shown}
            detection={detection}
            onShown={setShown}
            onMove={move}
            onPick={(sample) => setOpen(sample.index)}
            onClose={() => setOpen(null)}
          />
        </Suspense>
      )}
    </section>
  );
}
