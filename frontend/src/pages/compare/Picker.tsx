/** Chooses runs without leaving the page. */
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { api, ask, type Job } from '~/api/client';
import { useWords } from '~/i18n/words';
import { Button } from '~/ui/Button';
import { Dialog } from '~/ui/Dialog';
import { Search } from '~/ui/Search';
import { StateIcon, shownState } from '~/ui/StateMark';
import { Ago } from '~/ui/Time';
import { Failure, Skeleton } from '~/ui/Told';
import { type Compared, MOST, withoutRun, withRun } from './chosen';
import { compareWords } from './words';

const SHOWN = 50;

type Props = { compared: Compared; onChange: (compared: Compared) => void; onClose: () => void };

export default function Picker({ compared, onChange, onClose }: Props) {
  const words = useWords(compareWords);
  const [text, setText] = useState('');
  const found = useQuery({
    queryKey: ['jobs', 'pick', text],
    queryFn: ({ signal }) =>
      ask(api.GET('/v1/jobs', { params: { query: { search: text || undefined, limit: SHOWN } }, signal })),
    placeholderData: keepPreviousData,
  });
  const full = compared.ids.length >= MOST;
  return (
    <Dialog
      open
      onClose={onClose}
      title={words.pick}
      actions={
        <Button kind="primary" onClick={onClose}>
          {words.done}
        </Button>
      }
    >
      <Search value={text} onChange={setText} label={words.search} />
      <p aria-live="polite" className="m-0 text-muted text-small">
        {words.chosen(compared.ids.length, MOST)}
      </p>
      {found.isError && <Failure error={found.error} onRetry={() => void found.refetch()} />}
      {found.isPending && <Skeleton className="h-64 w-full" />}
      {found.data?.items.length === 0 && <p className="m-0 text-muted">{words.noneFound}</p>}
      {found.data !== undefined && found.data.items.length > 0 && (
        <ul className="panel m-0 flex max-h-[50dvh] list-none flex-col overflow-auto p-1">
          {found.data.items.map((job) => (
            <Choice
              key={job.id}
              job={job}
              on={compared.ids.includes(job.id)}
              full={full}
              onChange={(on) => onChange(on ? withRun(compared, job.id) : withoutRun(compared, job.id))}
            />
          ))}
        </ul>
      )}
    </Dialog>
  );
}

function Choice({
  job,
  on,
  full,
  onChange,
}: {
  job: Job;
  on: boolean;
  full: boolean;
  onChange: (on: boolean) => void;
}) {
  return (
    <li>
      <label className="flex items-center gap-2 rounded-field px-2 py-1.5 hover:bg-sunken">
        <input
          type="checkbox"
          className="size-4 shrink-0 accent-(--accent)"
          checked={on}
          disabled={full && !on}
          onChange={(event) => onChange(event.target.checked)}
        />
        <StateIcon state={shownState(job)} />
        <span className="min-w-0 truncate" title={job.name || job.id}>
          {job.name || job.id}
        </span>
        <span className="min-w-0 max-w-28 shrink-0 truncate text-muted">{job.model}</span>
        <span className="ml-auto shrink-0 text-muted text-small">
          <Ago at={job.created_at} />
        </span>
      </label>
    </li>
  );
}
