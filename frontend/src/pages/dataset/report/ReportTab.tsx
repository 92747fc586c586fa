/** What the check found: the verdict first, then what is wrong, then what there is. */
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { api, ask, type Dataset } from '~/api/client';
import { useMay } from '~/api/session';
import { useFormat } from '~/format/format';
import { useLanguage } from '~/i18n/language';
import { useWords } from '~/i18n/words';
import { verdict } from '~/pages/datasets/grouping';
import { refusalInWords } from '~/pages/datasets/told';
import { VERDICT_COLOUR, VerdictIcon } from '~/pages/datasets/VerdictMark';
import { Button } from '~/ui/Button';
import { ErrorText } from '~/ui/Told';
import { toast } from '~/ui/toast';
import { CheckProgress } from '../CheckProgress';
import type { Report } from '../queries';
import { datasetWords } from '../words';
import { Classes } from './Classes';
import { Problems } from './Problems';
import { Sizes } from './Sizes';
import { Splits } from './Splits';

export function ReportTab({ dataset, report }: { dataset: Dataset; report: Report }) {
  const known = report.state === 'done';
  return (
    <div className="flex flex-col gap-4 p-4">
      <Verdict dataset={dataset} report={report} />
      {known && (
        <div className="grid items-start gap-4 desk:grid-cols-[minmax(0,3fr)_minmax(0,2fr)]">
          <Problems datasetId={dataset.id} report={report} />
          <div className="flex min-w-0 flex-col gap-4">
            <Splits report={report} />
            <Classes datasetId={dataset.id} report={report} />
            <Sizes report={report} />
          </div>
        </div>
      )}
    </div>
  );
}

function Verdict({ dataset, report }: { dataset: Dataset; report: Report }) {
  const words = useWords(datasetWords);
  const format = useFormat();
  const language = useLanguage();
  const one = verdict({ check: { ...report }, ready: report.not_ready_because.length === 0 });
  const soft = one === 'not_ready' ? 'bg-failed-soft' : one === 'errors' || one === 'warnings' ? 'bg-warning-soft' : '';
  const title = {
    waiting: words.waiting,
    checking: words.checking,
    unchecked: words.failed,
    not_ready: words.notReady,
    errors: words.readyWith,
    warnings: words.readyWith,
    good: words.ready,
  }[one];
  return (
    <section aria-live="polite" className={`panel flex flex-wrap items-start gap-x-3 gap-y-2 p-3 ${soft}`}>
      <div className="flex min-w-0 flex-1 basis-72 flex-col gap-1">
        <h2 className={`m-0 flex items-center gap-1.5 text-body ${VERDICT_COLOUR[one]}`}>
          <VerdictIcon of={one} />
          {title}
        </h2>
        {one === 'waiting' && <p className="m-0 text-muted">{words.waitingWhy}</p>}
        {one === 'checking' && <CheckProgress report={report} />}
        {one === 'unchecked' && (
          <p lang="en" className="m-0">
            {report.message}
          </p>
        )}
        {one === 'good' && <p className="m-0 text-muted">{words.noProblems}</p>}
        {report.not_ready_because.length > 0 && (
          <ul className="m-0 pl-5">
            {report.not_ready_because.map((reason) => {
              const told = refusalInWords(reason, language);
              return (
                <li key={reason} lang={told.lang}>
                  {told.text}
                </li>
              );
            })}
          </ul>
        )}
        {report.state === 'done' && report.seconds !== null && report.seconds !== undefined && (
          <p className="m-0 text-muted text-small">
            {words.took(format.count(report.pictures), format.duration(report.seconds))}
          </p>
        )}
      </div>
      {(report.state === 'done' || report.state === 'failed') && <Again dataset={dataset} />}
    </section>
  );
}

function Again({ dataset }: { dataset: Dataset }) {
  const words = useWords(datasetWords);
  const may = useMay();
  const client = useQueryClient();
  const task = useMutation({
    mutationFn: () =>
      ask(api.POST('/v1/datasets/{dataset_id}/check', { params: { path: { dataset_id: dataset.id } } })),
    onSuccess: () => client.invalidateQueries({ queryKey: ['datasets'] }),
    onError: (error) => toast(<ErrorText error={error} />, { bad: true }),
  });
  if (!may('member', dataset.project_id)) return null;
  return (
    <Button disabled={task.isPending} onClick={() => task.mutate()}>
      {words.again}
    </Button>
  );
}
