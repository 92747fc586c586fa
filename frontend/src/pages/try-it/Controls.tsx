/** At the left: the job, its checkpoint, and how sure is sure enough. */
import { useQuery } from '@tanstack/react-query';
import { useRef, useState } from 'react';
import { flushSync } from 'react-dom';
import type { Job } from '~/api/client';
import { checkpointsQuery } from '~/api/queries';
import { useFormat } from '~/format/format';
import { useWords } from '~/i18n/words';
import { Button } from '~/ui/Button';
import { Field } from '~/ui/Field';
import { Failure } from '~/ui/Told';
import { JobLine, JobPicker } from './JobPicker';
import { tryWords } from './words';

export function JobChoice({ job, onChoose }: { job: Job | null; onChoose: (id: string) => void }) {
  const words = useWords(tryWords);
  const [open, setOpen] = useState(false);
  const opener = useRef<HTMLButtonElement>(null);
  const close = () => {
    flushSync(() => setOpen(false));
    opener.current?.focus();
  };
  if (job === null || open)
    return (
      <JobPicker
        chosen={job?.id ?? ''}
        atOnce={open}
        onChoose={(id) => {
          onChoose(id);
          close();
        }}
        onClose={job === null ? undefined : close}
      />
    );
  return (
    <div className="flex flex-col items-start gap-2">
      <span className="font-strong">{words.job}</span>
      <div className="panel w-full p-2.5">
        <JobLine job={job} />
      </div>
      <Button ref={opener} onClick={() => setOpen(true)}>
        {words.change}
      </Button>
    </div>
  );
}

export function CheckpointChoice(props: { jobId: string; chosen: string; onChoose: (kind: string) => void }) {
  const words = useWords(tryWords);
  const format = useFormat();
  const found = useQuery(checkpointsQuery(props.jobId));
  if (found.isError) return <Failure error={found.error} onRetry={() => void found.refetch()} />;
  const items = found.data?.items ?? [];
  const gone = props.chosen !== '' && !items.some((one) => one.kind === props.chosen);
  return (
    <Field label={words.checkpoint} error={found.isSuccess && items.length === 0 ? words.noCheckpoint : undefined}>
      {(wired) => (
        <select
          {...wired}
          className="field"
          value={props.chosen}
          onChange={(event) => props.onChoose(event.target.value)}
        >
          <option value="">{words.usualCheckpoint}</option>
          {gone && <option value={props.chosen}>{props.chosen}</option>}
          {items.map((one) => (
            <option key={one.kind} value={one.kind}>
              {one.epoch === null
                ? words.ofSize(one.kind, format.bytes(one.bytes))
                : words.ofEpoch(one.kind, one.epoch, format.bytes(one.bytes))}
            </option>
          ))}
        </select>
      )}
    </Field>
  );
}

export function Confidence({ value, onChange }: { value: number; onChange: (value: number) => void }) {
  const words = useWords(tryWords);
  const format = useFormat();
  return (
    <Field label={words.confidence} extra={<output className="font-mono">{format.share(value)}</output>}>
      {(wired) => (
        <input
          {...wired}
          type="range"
          min={0}
          max={1}
          step={0.01}
          value={value}
          aria-valuetext={format.share(value)}
          onChange={(event) => onChange(Number(event.target.value))}
          className="h-8 w-full accent-accent"
        />
      )}
    </Field>
  );
}
