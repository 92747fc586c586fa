/** What the list says when there is nothing in it. */
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { datasetsQuery } from '~/api/queries';
import { useMay } from '~/api/session';
import { useWords } from '~/i18n/words';
import { Button, buttonLook } from '~/ui/Button';
import { Empty } from '~/ui/Told';
import { jobsWords } from './words';

export function NoJobs() {
  const words = useWords(jobsWords);
  const may = useMay();
  const { data } = useQuery(datasetsQuery);
  if (!may('member')) return <Empty title={words.emptyTitle}>{words.emptyViewer}</Empty>;
  if (data?.items.length === 0)
    return (
      <Empty
        title={words.emptyTitle}
        action={
          <Link to="/datasets" className={buttonLook('primary')}>
            {words.upload}
          </Link>
        }
      >
        {words.emptyNoDataset}
      </Empty>
    );
  return (
    <Empty
      title={words.emptyTitle}
      action={
        <Link to="/new" className={buttonLook('primary')}>
          {words.newJob}
        </Link>
      }
    >
      {words.emptyText}
    </Empty>
  );
}

export function NoneFound({ onClear }: { onClear: () => void }) {
  const words = useWords(jobsWords);
  return (
    <Empty title={words.noneFound} action={<Button onClick={onClear}>{words.clear}</Button>}>
      {words.noneFoundText}
    </Empty>
  );
}
