/** What can be done with the selected jobs. */
import { useNavigate } from '@tanstack/react-router';
import { lazy, Suspense, useState } from 'react';
import { useKeys } from '~/app/keys';
import { useFormat } from '~/format/format';
import { useWords } from '~/i18n/words';
import { Button } from '~/ui/Button';
import { comparable, MOST_SELECTED, type Selection, stoppable } from './selection';
import { jobsWords } from './words';

const CancelDialog = lazy(() => import('./CancelDialog'));

type Props = { selection: Selection; mayCancel: boolean; onClear: () => void };

export function SelectionBar({ selection, mayCancel, onClear }: Props) {
  const words = useWords(jobsWords);
  const format = useFormat();
  const navigate = useNavigate();
  const [asking, setAsking] = useState(false);
  const jobs = [...selection.values()];
  const count = stoppable(jobs).length;
  const problem =
    count === 0 ? words.nothingToCancel : count > MOST_SELECTED ? words.tooManyToCancel(MOST_SELECTED) : undefined;
  const compare = () => {
    if (comparable(selection)) void navigate({ to: '/compare', search: { jobs: [...selection.keys()].join(',') } });
  };
  useKeys({ c: compare, Escape: onClear });
  if (selection.size === 0) return null;
  return (
    <section
      aria-label={words.selected(format.count(selection.size))}
      className="flex flex-wrap items-center gap-2 border-line border-t bg-raised px-4 py-2"
    >
      <strong className="mr-1" aria-live="polite">
        {words.selected(format.count(selection.size))}
      </strong>
      <Button
        kind="primary"
        onClick={compare}
        aria-disabled={!comparable(selection)}
        title={comparable(selection) ? undefined : words.compareNeeds}
      >
        {words.compare}
      </Button>
      {mayCancel && (
        <Button
          kind="danger"
          onClick={() => problem === undefined && setAsking(true)}
          aria-disabled={problem !== undefined}
          title={problem}
        >
          {words.cancel}
        </Button>
      )}
      <Button kind="quiet" onClick={onClear}>
        {words.unselect}
      </Button>
      {asking && (
        <Suspense>
          <CancelDialog jobs={jobs} onClose={() => setAsking(false)} />
        </Suspense>
      )}
    </section>
  );
}
