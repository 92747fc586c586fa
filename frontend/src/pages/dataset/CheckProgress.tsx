import { useFormat } from '~/format/format';
import { useWords } from '~/i18n/words';
import { Progress } from '~/ui/Progress';
import type { Report } from './queries';
import { datasetWords } from './words';

/** How far the check is, and what it has found so far. */
export function CheckProgress({ report }: { report: Report }) {
  const words = useWords(datasetWords);
  const format = useFormat();
  return (
    <div className="flex w-full min-w-60 max-w-md flex-col gap-1">
      <Progress value={report.progress} label={words.checking} />
      <p className="m-0 text-muted text-small">
        {words.checkingOf(format.count(report.done_pictures), format.count(report.pictures))}
        {' · '}
        {words.soFar(format.count(report.errors), format.count(report.warnings))}
      </p>
    </div>
  );
}
