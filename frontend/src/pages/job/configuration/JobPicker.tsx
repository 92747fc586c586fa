/** Another job to compare with; the one this was made from comes first. */
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { api, ask, type Job } from '~/api/client';
import { useWords } from '~/i18n/words';
import { Dialog } from '~/ui/Dialog';
import { Search } from '~/ui/Search';
import { StateIcon, shownState } from '~/ui/StateMark';
import { Ago } from '~/ui/Time';
import { Failure, Skeleton } from '~/ui/Told';
import { configurationWords } from './words';

export default function JobPicker({
  job,
  onPick,
  onClose,
}: {
  job: Job;
  onPick: (job: Job) => void;
  onClose: () => void;
}) {
  const words = useWords(configurationWords);
  const [text, setText] = useState('');
  const { data, error, refetch } = useQuery({
    queryKey: ['job-picker', job.framework, text],
    queryFn: ({ signal }) => {
      // a search looks everywhere; without one those of the same trainer are nearest
      const query = { limit: 50, ...(text === '' ? { framework: job.framework } : { search: text }) };
      return ask(api.GET('/v1/jobs', { params: { query }, signal }));
    },
    placeholderData: keepPreviousData,
  });
  const others = (data?.items ?? []).filter((one) => one.id !== job.id);
  const items = [...others].sort((a, b) => Number(b.id === job.parent_id) - Number(a.id === job.parent_id));
  return (
    <Dialog open onClose={onClose} title={words.compareWith}>
      <Search value={text} onChange={setText} label={words.searchJobs} />
      <div className="h-80 overflow-auto">
        {error !== null && <Failure error={error} onRetry={() => void refetch()} />}
        {data === undefined && error === null && <Skeleton className="h-40 w-full" />}
        {data !== undefined && items.length === 0 && <p className="text-center text-muted">{words.noJobs}</p>}
        <ul className="m-0 list-none p-0">
          {items.map((one) => (
            <li key={one.id}>
              <button
                type="button"
                className="flex w-full min-w-0 items-center gap-2 rounded-field border-0 bg-transparent px-2 py-1.5 text-left hover:bg-sunken"
                onClick={() => onPick(one)}
              >
                <StateIcon state={shownState(one)} />
                <span className="min-w-0 flex-1">
                  <span className="block truncate">{one.name}</span>
                  <span className="block truncate font-mono text-muted text-small">{one.id}</span>
                </span>
                <span className="shrink-0 text-muted text-small">
                  <Ago at={one.created_at} />
                </span>
              </button>
            </li>
          ))}
        </ul>
      </div>
    </Dialog>
  );
}
