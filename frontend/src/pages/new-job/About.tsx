/** What to call the job, and how it stands among others. */
import { useWords } from '~/i18n/words';
import type { Draft } from './draft';
import { More } from './More';
import { TextField } from './TextField';
import type { Form } from './useNewJob';
import { newJobWords } from './words';

const FIELDS = [
  ['name', 'name'],
  ['tags', 'tags'],
  ['priority', 'priority'],
  ['keepEpochs', 'keep_epochs'],
] as const satisfies [keyof Draft, string][];

export function About({ form }: { form: Form }) {
  const words = useWords(newJobWords);
  const { draft, base } = form;
  return (
    <More
      title={words.about}
      form={form}
      fields={[...FIELDS.map(([, field]) => field), 'notes']}
      open={draft.name !== ''}
    >
      <div className="grid gap-3 wide:grid-cols-2">
        {FIELDS.map(([name, field]) => (
          <TextField
            key={field}
            form={form}
            field={field}
            label={words[field]}
            help={words[`${field}Help`]}
            value={draft[name]}
            base={base[name]}
            onChange={(value) => form.change({ [name]: value })}
          />
        ))}
        <div className="wide:col-span-2">
          <TextField
            form={form}
            field="notes"
            label={words.notes}
            value={draft.notes}
            base={base.notes}
            onChange={(notes) => form.change({ notes })}
            rows={3}
          />
        </div>
      </div>
    </More>
  );
}
