/** Above the charts: smoothing, the ways back to everything, and last, as it changes its width, the best epoch. */
import type { Job } from '~/api/client';
import { type ChartSync, useZoom } from '~/charts/sync';
import { useFormat } from '~/format/format';
import { useWords } from '~/i18n/words';
import { Button } from '~/ui/Button';
import type { Best } from './panels';
import { chartsWords } from './words';

export function Toolbar(props: {
  job: Job;
  best: Best | null;
  smoothing: number;
  onSmoothing: (share: number) => void;
  sync: { epoch: ChartSync; step: ChartSync };
  hidden: { id: string; title: string }[];
  onShow: (id: string) => void;
  onOriginal: (() => void) | null;
}) {
  const words = useWords(chartsWords);
  const format = useFormat();
  const zooms = [useZoom(props.sync.epoch), useZoom(props.sync.step)];
  const zoomed = zooms.some((zoom) => zoom !== null);
  const { best, smoothing } = props;
  return (
    <div className="flex min-h-12 flex-wrap items-center gap-x-4 gap-y-2 px-4 py-2">
      <label className="flex items-center gap-2 text-muted">
        {words.smoothing}
        <input
          type="range"
          min={0}
          max={0.99}
          step={0.01}
          value={smoothing}
          onChange={(event) => props.onSmoothing(Number(event.target.value))}
          className="w-28 accent-accent"
        />
        <span className="w-9 tabular-nums">{smoothing === 0 ? words.off : smoothing.toFixed(2)}</span>
      </label>
      {!zoomed && <p className="m-0 hidden text-muted text-small desk:block">{words.hint}</p>}
      {zoomed && (
        <Button
          onClick={() => {
            props.sync.epoch.setZoom(null);
            props.sync.step.setZoom(null);
          }}
        >
          {words.reset}
        </Button>
      )}
      {props.hidden.length > 0 && (
        <p className="m-0 flex flex-wrap items-center gap-1.5 text-muted">
          {words.hidden}
          {props.hidden.map(({ id, title }) => (
            <Button key={id} kind="quiet" aria-label={words.show(title)} onClick={() => props.onShow(id)}>
              + {title}
            </Button>
          ))}
        </p>
      )}
      {props.onOriginal !== null && (
        <Button kind="quiet" className="text-muted" onClick={props.onOriginal}>
          {words.original}
        </Button>
      )}
      {best !== null && (
        <p className="m-0 wide:ml-auto">
          <span aria-hidden>★ </span>
          <span className="sr-only">{words.best}: </span>
          {words.bestAt(best.metric, format.metric(best.value), format.count(best.step))}
        </p>
      )}
    </div>
  );
}
