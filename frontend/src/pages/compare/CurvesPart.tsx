import { useMemo, useState } from 'react';
import { Chart } from '~/charts/Chart';
import { useChartSync, useZoom } from '~/charts/sync';
import { useCurves } from '~/charts/useCurves';
import { useKept } from '~/charts/useKept';
import { useWords } from '~/i18n/words';
import { Button } from '~/ui/Button';
import { Check } from '~/ui/Check';
import { Failure, Skeleton } from '~/ui/Told';
import { panels } from './curves';
import type { Here } from './runs';
import { compareWords } from './words';

const HEIGHT = 220;
const readShare = (text: string | null) => Math.min(0.99, Math.max(0, Number(text) || 0));

export default function CurvesPart({ runs, base }: { runs: Here[]; base: Here }) {
  const words = useWords(compareWords);
  const { curves, pending, error, retry } = useCurves(runs.map((run) => run.id));
  const sync = { epoch: useChartSync(), step: useChartSync() };
  const zoomed = [useZoom(sync.epoch), useZoom(sync.step)].some((zoom) => zoom !== null);
  const [smoothing, setSmoothing] = useKept('trainyard.charts.smoothing', readShare, String);
  const [training, setTraining] = useState(false);
  const [log, setLog] = useState(false);
  // a heartbeat changes the job, not what its curves are called and coloured by
  const named = JSON.stringify(
    runs.map(({ id, colour, job }) => ({
      id,
      colour,
      name: job.name,
      epochs: job.epochs,
      best_metric: job.best_metric,
    })),
  );
  const best = base.job.best_metric ?? null;
  const shown = useMemo(() => panels(JSON.parse(named), curves, best, training), [named, curves, best, training]);

  if (error !== null) return <Failure error={error} onRetry={retry} />;
  if (pending && shown.length === 0) return <Skeleton className="h-56 w-full" />;
  if (shown.length === 0) return <p className="m-0 text-muted">{words.noCurves}</p>;
  return (
    <>
      <div className="flex min-h-8 flex-wrap items-center gap-x-4 gap-y-2 text-muted">
        <Check label={words.training} on={training} onChange={setTraining} />
        <Check label={words.log} on={log} onChange={setLog} />
        <label className="flex items-center gap-2">
          {words.smoothing}
          <input
            type="range"
            min={0}
            max={0.99}
            step={0.01}
            value={smoothing}
            onChange={(event) => setSmoothing(Number(event.target.value))}
            className="w-28 accent-(--accent)"
          />
        </label>
        {zoomed && (
          <Button
            onClick={() => {
              sync.epoch.setZoom(null);
              sync.step.setZoom(null);
            }}
          >
            {words.whole}
          </Button>
        )}
      </div>
      <div className="grid gap-x-6 gap-y-5 wide:grid-cols-2">
        {shown.map((panel) => {
          const title = panel.kind === 'rate' ? words.rate : panel.title;
          return (
            <Chart
              key={panel.id}
              title={panel.perStep ? words.perStep(title) : title}
              lines={panel.lines}
              sync={panel.perStep ? sync.step : sync.epoch}
              x={panel.perStep ? 'step' : 'epoch'}
              height={HEIGHT}
              log={log}
              smoothing={smoothing}
            />
          );
        })}
      </div>
    </>
  );
}
