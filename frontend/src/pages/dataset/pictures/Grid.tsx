/** Thousands of pictures, of which only those in sight are in the page. */
import { useVirtualizer } from '@tanstack/react-virtual';
import { lazy, Suspense, useEffect, useEffectEvent, useLayoutEffect, useRef, useState } from 'react';
import type { Dataset } from '~/api/client';
import { useWords } from '~/i18n/words';
import { Button } from '~/ui/Button';
import { Empty, Failure, Skeleton } from '~/ui/Told';
import type { Filters } from '../queries';
import { datasetWords } from '../words';
import { CAPTION, columnsFor, GAP } from './layout';
import { Tile } from './Tile';
import { usePictures } from './usePictures';

const FullScreen = lazy(() => import('./FullScreen').then((it) => ({ default: it.FullScreen })));
const ROWS_AHEAD = 3;

export function Grid(props: {
  dataset: Dataset;
  checkedAt: number | null;
  filters: Filters;
  labels: boolean;
  onFound: (total: number | null) => void;
  onClear: () => void;
}) {
  const words = useWords(datasetWords);
  const place = useRef<HTMLDivElement>(null);
  const { width, top } = useMeasure(place);
  const { columns, side } = columnsFor(width);
  const [open, setOpen] = useState<number | null>(null);
  const [known, setKnown] = useState<number | null>(null);

  const rows = useVirtualizer({
    count: Math.ceil((known ?? 0) / columns),
    getScrollElement: () => document.getElementById('content'),
    estimateSize: () => side + CAPTION + GAP,
    scrollMargin: top,
    overscan: ROWS_AHEAD,
  });
  // biome-ignore lint/correctness/useExhaustiveDependencies: rows of another height are measured anew
  useEffect(() => rows.measure(), [side, columns]);
  const seen = rows.getVirtualItems();
  const first = (seen[0]?.index ?? 0) * columns;
  const last = ((seen.at(-1)?.index ?? 0) + 1) * columns;
  const ranges = [[first, last] as const, ...(open === null ? [] : [[open - 1, open + 1] as const])];
  const pictures = usePictures(props.dataset.id, props.checkedAt, props.filters, ranges, known);

  const tell = useEffectEvent(props.onFound);
  const { total } = pictures;
  if (total !== null && total !== known) setKnown(total);
  useEffect(() => tell(total), [total]);

  const show = (position: number) => {
    setOpen(position);
    rows.scrollToIndex(Math.floor(position / columns), { align: 'auto' });
  };
  return (
    <div className="p-4">
      {pictures.error !== null && <Failure error={pictures.error} onRetry={pictures.retry} />}
      {total === 0 && <Empty title={words.noneFit} action={<Button onClick={props.onClear}>{words.clear}</Button>} />}
      <div ref={place} className="relative" style={{ height: total === 0 ? 0 : rows.getTotalSize() }}>
        {known === null && pictures.error === null && <Coming columns={columns} side={side} />}
        {seen.map((row) => (
          <div
            key={row.key}
            className="absolute top-0 left-0 grid w-full"
            style={{
              transform: `translateY(${row.start - top}px)`,
              gridTemplateColumns: `repeat(${columns}, ${side}px)`,
              gap: GAP,
            }}
          >
            {Array.from({ length: Math.min(columns, (known ?? 0) - row.index * columns) }, (_, column) => {
              const position = row.index * columns + column;
              return (
                <Tile
                  key={position}
                  picture={pictures.at(position)}
                  position={position}
                  side={side}
                  labels={props.labels}
                  onOpen={() => setOpen(position)}
                />
              );
            })}
          </div>
        ))}
      </div>
      {open !== null && total !== null && total > 0 && (
        <Suspense>
          <FullScreen
            picture={pictures.at(open)}
            position={open}
            total={total}
            labels={props.labels}
            onMove={show}
            onClose={() => setOpen(null)}
          />
        </Suspense>
      )}
    </div>
  );
}

/** Its width, and how far below the top of what scrolls it begins. */
function useMeasure(place: React.RefObject<HTMLDivElement | null>): { width: number; top: number } {
  const [size, setSize] = useState({ width: 0, top: 0 });
  useLayoutEffect(() => {
    const element = place.current;
    const scroller = document.getElementById('content');
    if (element === null || scroller === null) return;
    const measure = () => {
      const top = element.getBoundingClientRect().top - scroller.getBoundingClientRect().top + scroller.scrollTop;
      setSize((now) =>
        now.width === element.clientWidth && now.top === top ? now : { width: element.clientWidth, top },
      );
    };
    measure();
    const watcher = new ResizeObserver(measure);
    watcher.observe(element);
    return () => watcher.disconnect();
  }, [place]);
  return size;
}

function Coming({ columns, side }: { columns: number; side: number }) {
  return (
    <div className="grid" style={{ gridTemplateColumns: `repeat(${columns}, ${side}px)`, gap: GAP }}>
      {Array.from({ length: columns * 2 }, (_, index) => index).map((index) => (
        <div key={index} style={{ height: side + CAPTION }}>
          <Skeleton className="h-full w-full" />
        </div>
      ))}
    </div>
  );
}
