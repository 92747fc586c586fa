/** Trainer, task and model: each narrows what the next offers. */
import { useWords } from '~/i18n/words';
import { Choice, Choices } from '~/ui/Choice';
import { Field } from '~/ui/Field';
import { taskWords } from '~/ui/taskWords';
import { manifestOf, tasksOf, withTask, withTrainer } from './draft';
import { recall } from './kept';
import { Modified } from './Modified';
import { TextField } from './TextField';
import { told } from './Trouble';
import type { Form } from './useNewJob';
import { newJobWords } from './words';

export function TrainerChoice({ form }: { form: Form }) {
  const words = useWords(newJobWords);
  const { offered, draft } = form;
  return (
    <Choices
      legend={words.trainer}
      error={told(form.trouble('framework'))}
      className="grid gap-2 wide:grid-cols-2 desk:grid-cols-3"
    >
      {offered.trainers.map((one) => (
        <Choice
          key={one.framework}
          group="framework"
          value={one.framework}
          checked={one.framework === draft.framework}
          onChoose={() => form.become((now) => withTrainer(offered, now, one.framework, recall(one.framework)))}
          title={one.manifest?.title ?? one.framework}
          mark={one.manifest?.license}
          unfit={!one.usable && words.unusable(one.problem)}
        >
          {one.usable && (
            <>
              <span className="block">{one.manifest?.description}</span>
              {one.environment === 'missing' && <span className="block">{words.environmentMissing}</span>}
            </>
          )}
        </Choice>
      ))}
    </Choices>
  );
}

export function TaskChoice({ form }: { form: Form }) {
  const words = useWords(newJobWords);
  const names = useWords(taskWords);
  const tasks = tasksOf(manifestOf(form.offered, form.draft.framework));
  if (tasks.length === 0) return null;
  return (
    <Choices legend={words.task} error={told(form.trouble('task'))} className="grid gap-2 wide:grid-cols-2">
      {tasks.map((task) => (
        <Choice
          key={task}
          group="task"
          value={task}
          checked={task === form.draft.task}
          onChoose={() => form.become((now) => withTask(form.offered, now, task))}
          title={names[task]}
        >
          {task === 'detect' ? words.taskDetect : words.taskClassify}
        </Choice>
      ))}
    </Choices>
  );
}

const OTHER = ''; // no model is called so

export function ModelChoice({ form }: { form: Form }) {
  const words = useWords(newJobWords);
  const { draft, base, offered } = form;
  const support = draft.task ? manifestOf(offered, draft.framework)?.tasks[draft.task] : undefined;
  if (support === undefined) return null;
  const set = (model: string) => form.change({ model });
  const listed = support.models.includes(draft.model);
  const free = Boolean(support.model_pattern);
  return (
    <>
      <Field
        label={words.model}
        error={listed || !free ? told(form.trouble('model')) : undefined}
        extra={
          draft.model !== base.model && <Modified name={words.model} to={base.model} onReset={() => set(base.model)} />
        }
      >
        {(wired) => (
          <select
            {...wired}
            className="field"
            value={listed || !free ? draft.model : OTHER}
            onChange={(event) => set(event.target.value)}
          >
            {!listed && !free && <option value={draft.model}>{draft.model}</option>}
            {support.models.map((model) => (
              <option key={model} value={model}>
                {model}
              </option>
            ))}
            {free && <option value={OTHER}>{words.otherModel}</option>}
          </select>
        )}
      </Field>
      {free && !listed && (
        <TextField
          form={form}
          field="model"
          label={words.otherModelName}
          help={words.otherModelHelp}
          value={draft.model}
          base={draft.model}
          onChange={set}
        />
      )}
    </>
  );
}
