/** The form of a new job. */
import { useEffect, useRef } from 'react';
import { useMay } from '~/api/session';
import { useWords } from '~/i18n/words';
import { Field } from '~/ui/Field';
import { About } from './About';
import { DatasetChoice } from './DatasetChoice';
import { lostParams, manifestOf, type Offered, withProject } from './draft';
import { Machine, type Status } from './Machine';
import { Parameters } from './Parameters';
import { Side } from './Side';
import { ModelChoice, TaskChoice, TrainerChoice } from './TrainerChoice';
import { told } from './Trouble';
import { type Form, useNewJob } from './useNewJob';
import { newJobWords } from './words';

type Projects = { id: string; name: string }[];

export function JobForm(props: {
  offered: Offered;
  wantedDataset: string | undefined;
  status: Status | undefined;
  projects: Projects;
}) {
  const form = useNewJob(props.offered, props.wantedDataset);
  const element = useRef<HTMLFormElement>(null);
  useEffect(() => {
    if (form.tries > 0) focusFirstWrong(element.current);
  }, [form.tries]);
  return (
    <form
      ref={element}
      noValidate
      className="grid gap-x-8 gap-y-5 p-4 desk:grid-cols-[minmax(0,1fr)_20rem]"
      onSubmit={(event) => {
        event.preventDefault();
        form.submit();
      }}
    >
      <div className="flex min-w-0 max-w-4xl flex-col gap-5">
        <OriginNotes form={form} />
        <ProjectChoice form={form} projects={props.projects} />
        <TrainerChoice form={form} />
        <TaskChoice form={form} />
        <div className="grid gap-3 wide:grid-cols-2">
          <ModelChoice form={form} />
        </div>
        <DatasetChoice form={form} />
        <Parameters form={form} />
        <Machine form={form} status={props.status} />
        <About form={form} />
      </div>
      <Side form={form} usual={props.status?.execution} />
    </form>
  );
}

function focusFirstWrong(form: HTMLFormElement | null): void {
  const wrong = form?.querySelector<HTMLElement>('[aria-invalid="true"]');
  const inside =
    wrong?.querySelector<HTMLElement>('input:checked') ??
    wrong?.querySelector<HTMLElement>('input[type="radio"]:enabled');
  (inside ?? wrong)?.focus();
}

/** What of the cloned job can't be the same here. */
function OriginNotes({ form }: { form: Form }) {
  const words = useWords(newJobWords);
  const { offered, draft } = form;
  const { origin } = offered;
  if (origin === null) return null;
  const lost = lostParams(offered, draft.framework);
  const notes = [
    words.cloneOf(origin.name || origin.id),
    manifestOf(offered, origin.framework) === null && words.notUsable(origin.framework),
    lost.length > 0 && words.lostParams(lost.join(', ')),
    origin.script !== null && words.ownScript,
    origin.code_hash !== null && origin.script === null && words.ownCode,
  ].filter((note) => note !== false);
  return (
    <div className="panel flex flex-col gap-1 bg-raised px-3 py-2">
      {notes.map((note) => (
        <p key={note} className="m-0">
          {note}
        </p>
      ))}
    </div>
  );
}

/** Only where there is a choice. */
function ProjectChoice({ form, projects }: { form: Form; projects: Projects }) {
  const words = useWords(newJobWords);
  const may = useMay();
  const mine = projects.filter((one) => may('member', one.id));
  if (mine.length < 2) return null;
  const choose = (id: string) => form.become((now) => withProject(form.offered, now, id));
  return (
    <div className="grid gap-3 wide:grid-cols-2">
      <Field label={words.project} error={told(form.trouble('project_id'))}>
        {(wired) => (
          <select
            {...wired}
            className="field"
            value={form.draft.projectId}
            onChange={(event) => choose(event.target.value)}
          >
            {mine.map((one) => (
              <option key={one.id} value={one.id}>
                {one.name}
              </option>
            ))}
          </select>
        )}
      </Field>
    </div>
  );
}
