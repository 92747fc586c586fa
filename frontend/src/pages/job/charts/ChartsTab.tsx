/** The job's metrics, live: what was trained beside what was validated, the best epoch marked. */
import { Link } from '@tanstack/react-router';
import { useMemo } from 'react';
import type { Job } from '~/api/client';
import { useChartSync } from '~/charts/sync';
import { useCurves } from '~/charts/useCurves';
import { useWords } from '~/i18n/words';
import { buttonLook } from '~/ui/Button';
import { Empty, Failure, Skeleton } from '~/ui/Told';
import { hasEnded } from '../header/possible';
import { Board } from './Board';
import { bestOf, panels } from './panels';
import { chartsWords } from './words';

export function ChartsTab({ job }: { job: Job }) {
  const { curves, pending, error, retry } = useCurves([job.id]);
  const found = curves.get(job.id);
  const sync = { epoch: useChartSync(), step: useChartSync() };
  const { best_metric, best_mode, epochs } = job;
  const [best, shown] = useMemo(() => {
    if (found === undefined) return [null, []];
    const goals = { best_metric, best_mode, epochs };
    const best = bestOf(found, goals);
    return [best, panels(found, goals, best)];
  }, [found, best_metric, best_mode, epochs]);

  if (shown.length > 0 && found !== undefined)
    return (
      <>
        {error !== null && (
          <div className="px-4 pt-3">
            <Failure error={error} onRetry={retry} />
          </div>
        )}
        <Board job={job} panels={shown} best={best} sync={sync} />
      </>
    );
  if (error !== null)
    return (
      <div className="p-4">
        <Failure error={error} onRetry={retry} />
      </div>
    );
  return pending ? <Loading /> : <Nothing job={job} />;
}

function Loading() {
  return (
    <div className="grid gap-4 p-4 wide:grid-cols-2 desk:grid-cols-3">
      {[1, 2, 3].map((one) => (
        <Skeleton key={one} className="h-64 w-full" />
      ))}
    </div>
  );
}

function Nothing({ job }: { job: Job }) {
  const words = useWords(chartsWords);
  if (!hasEnded(job)) return <Empty title={words.noneYet}>{words.noneYetWhy}</Empty>;
  return (
    <Empty
      title={words.none}
      action={
        <Link to="/jobs/$jobId" params={{ jobId: job.id }} search={{ tab: 'log' }} className={buttonLook()}>
          {words.toLog}
        </Link>
      }
    >
      {words.noneWhy}
    </Empty>
  );
}
