/** The pictures with their labels drawn on, filtered by what stands in the address. */
import { useNavigate, useSearch } from '@tanstack/react-router';
import { useState } from 'react';
import type { Dataset } from '~/api/client';
import { useWords } from '~/i18n/words';
import { Empty } from '~/ui/Told';
import { CheckProgress } from '../CheckProgress';
import type { Filters, Report } from '../queries';
import { datasetWords } from '../words';
import { FilterBar } from './FilterBar';
import { Grid } from './Grid';

const NAMES = ['split', 'label', 'problem', 'search'] as const;

export function PicturesTab({ dataset, report }: { dataset: Dataset; report: Report }) {
  const words = useWords(datasetWords);
  const search = useSearch({ strict: false });
  const navigate = useNavigate();
  const [labels, setLabels] = useState(true);
  const [found, setFound] = useState<number | null>(null);
  if (report.state !== 'done')
    return <Empty title={words.notYet}>{report.state === 'checking' && <CheckProgress report={report} />}</Empty>;
  const given = NAMES.filter((name) => search[name]).map((name) => [name, search[name]]);
  const filters: Filters = Object.fromEntries(given);
  const change = (changes: Filters) =>
    void navigate({
      to: '/datasets/$datasetId',
      params: { datasetId: dataset.id },
      search: { tab: 'pictures', ...filters, ...changes },
      replace: true,
      resetScroll: false,
    });
  return (
    <>
      <FilterBar
        report={report}
        filters={filters}
        onChange={change}
        found={found}
        labels={labels}
        onLabels={setLabels}
      />
      <Grid
        key={JSON.stringify([dataset.id, filters])}
        dataset={dataset}
        checkedAt={report.checked_at ?? null}
        filters={filters}
        labels={labels}
        onFound={setFound}
        onClear={() => change({ split: '', label: '', problem: '', search: '' })}
      />
    </>
  );
}
