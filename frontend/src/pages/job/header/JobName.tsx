/** The job's name, changed in its place by those who may. */
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import { api, ask, type Job } from '~/api/client';
import { useMay } from '~/api/session';
import { useWords } from '~/i18n/words';
import { patchJob } from '~/live/jobs';
import { Button } from '~/ui/Button';
import { ErrorText } from '~/ui/Told';
import { jobWords } from '../words';

export function JobName({ job }: { job: Job }) {
  const words = useWords(jobWords);
  const mayRename = useMay()('member', job.project_id);
  const [editing, setEditing] = useState(false);
  if (editing) return <Rename job={job} onDone={() => setEditing(false)} />;
  return (
    <div className="flex min-w-0 items-center gap-1">
      <h1 className="m-0 min-w-0 text-title">{job.name}</h1>
      {mayRename && (
        <button
          type="button"
          onClick={() => setEditing(true)}
          aria-label={words.rename}
          title={words.rename}
          className="shrink-0 rounded-field border-0 bg-transparent px-1 text-muted hover:bg-sunken hover:text-text"
        >
          <span aria-hidden>✎</span>
        </button>
      )}
    </div>
  );
}

function Rename({ job, onDone }: { job: Job; onDone: () => void }) {
  const words = useWords(jobWords);
  const client = useQueryClient();
  const [name, setName] = useState(job.name);
  const save = useMutation({
    mutationFn: (changed: string) =>
      ask(api.PATCH('/v1/jobs/{job_id}', { params: { path: { job_id: job.id } }, body: { name: changed } })),
    onSuccess: (answer) => {
      patchJob(client, job.id, (known) => ({ ...known, name: answer.name }));
      onDone();
    },
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const changed = name.trim();
    if (changed === '' || changed === job.name) onDone();
    else save.mutate(changed);
  };
  return (
    <form onSubmit={submit} className="grid max-w-120 grid-cols-[1fr_auto] gap-2">
      <input
        className="field"
        aria-label={words.name}
        aria-invalid={save.isError || undefined}
        value={name}
        maxLength={200}
        // biome-ignore lint/a11y/noAutofocus: the person has just asked to write here
        autoFocus
        onFocus={(event) => event.target.select()}
        onChange={(event) => setName(event.target.value)}
        onKeyDown={(event) => event.key === 'Escape' && onDone()}
      />
      <Button type="submit" disabled={save.isPending}>
        {words.save}
      </Button>
      {save.isError && (
        <p role="alert" className="col-span-full m-0 text-failed">
          <ErrorText error={save.error} />
        </p>
      )}
    </form>
  );
}
