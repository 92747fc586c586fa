/** From which checkpoint to go on, and for how many epochs. */
import { useQuery } from '@tanstack/react-query';
import { type FormEvent, useId, useState } from 'react';
import type { Job, Schemas } from '~/api/client';
import { checkpointsQuery } from '~/api/queries';
import { useFormat } from '~/format/format';
import { useWords } from '~/i18n/words';
import { Button } from '~/ui/Button';
import { Dialog } from '~/ui/Dialog';
import { Field } from '~/ui/Field';
import { Failure, Skeleton } from '~/ui/Told';
import { useStart } from '../start';
import { jobWords } from '../words';
import { epochsWanted, hadAllEpochs, usualCheckpoint } from './resume';

export function ResumeDialog({ job, onClose }: { job: Job; onClose: () => void }) {
  const words = useWords(jobWords);
  const form = useId();
  const start = useStart(job.id);
  const found = useQuery(checkpointsQuery(job.id));
  const items = found.data?.items ?? [];
  const [chosen, setChosen] = useState<string | null>(null);
  const [text, setText] = useState('');
  const [tried, setTried] = useState(false);
  const kind = chosen ?? usualCheckpoint(items);
  const needed = hadAllEpochs(
    job,
    items.find((item) => item.kind === kind),
  );
  const epochs = epochsWanted(text, needed);

  const submit = (event: FormEvent) => {
    event.preventDefault();
    setTried(true);
    if (kind === null || epochs.wrong) return;
    start.mutate({ kind: 'resume', checkpoint: kind, epochs: epochs.number }, { onSuccess: onClose });
  };
  const wrong = tried && epochs.wrong ? (text.trim() === '' ? words.epochsNeeded : words.epochsWrong) : undefined;

  return (
    <Dialog
      open
      onClose={onClose}
      title={words.resumeTitle}
      actions={
        <>
          <Button onClick={onClose}>{words.close}</Button>
          <Button type="submit" form={form} kind="primary" disabled={kind === null || start.isPending}>
            {words.start}
          </Button>
        </>
      }
    >
      <p className="m-0 text-muted">{words.resumeWhy}</p>
      {found.isPending && <Skeleton className="h-24 w-full" />}
      {found.isError && <Failure error={found.error} onRetry={() => void found.refetch()} />}
      {found.isSuccess && items.length === 0 && <p className="m-0">{words.noCheckpoints}</p>}
      {items.length > 0 && (
        <form id={form} onSubmit={submit} className="flex flex-col gap-3">
          <Field label={words.checkpoint}>
            {(wired) => (
              <select
                {...wired}
                className="field"
                value={kind ?? ''}
                onChange={(event) => setChosen(event.target.value)}
              >
                {items.map((item) => (
                  <CheckpointOption key={item.kind} item={item} />
                ))}
              </select>
            )}
          </Field>
          <Field label={words.epochsMore} help={words.epochsHelp} error={wrong}>
            {(wired) => (
              <input
                {...wired}
                className="field"
                inputMode="numeric"
                value={text}
                onChange={(event) => setText(event.target.value)}
              />
            )}
          </Field>
        </form>
      )}
      {start.isError && <Failure error={start.error} />}
    </Dialog>
  );
}

function CheckpointOption({ item }: { item: Schemas['CheckpointOut'] }) {
  const words = useWords(jobWords);
  const { bytes, count } = useFormat();
  const kind =
    item.kind === 'best'
      ? words.best
      : item.kind === 'last'
        ? words.last
        : words.ofEpoch(item.kind.replace('epoch-', ''));
  const told =
    item.epoch === null || item.kind.startsWith('epoch-')
      ? words.checkpointNoEpoch(kind, bytes(item.bytes))
      : words.checkpointLine(kind, count(item.epoch), bytes(item.bytes));
  return <option value={item.kind}>{told}</option>;
}
