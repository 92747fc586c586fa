import type { FormEvent } from 'react';
import { api, ask, type Schemas } from '~/api/client';
import { meQuery } from '~/api/session';
import { useWords } from '~/i18n/words';
import { Button } from '~/ui/Button';
import { Field } from '~/ui/Field';
import { Failure } from '~/ui/Told';
import { useChange } from './change';
import { settingsWords } from './words';

export function NewProject() {
  const words = useWords(settingsWords);
  const add = useChange((body: Schemas['NewProject']) => ask(api.POST('/v1/projects', { body })), meQuery.queryKey);
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = event.currentTarget;
    const given = new FormData(form);
    const body = { id: String(given.get('id')).trim(), name: String(given.get('name')).trim() };
    add.mutate(body, { onSuccess: () => form.reset() });
  };
  return (
    <form onSubmit={submit} className="flex flex-col gap-3">
      <h3 className="m-0 text-body">{words.addProject}</h3>
      <div className="grid items-end gap-3 wide:grid-cols-[1fr_2fr_auto]">
        <Field label={words.projectId}>
          {(wired) => <input {...wired} name="id" className="field" title={words.projectIdHelp} required />}
        </Field>
        <Field label={words.projectName}>
          {(wired) => <input {...wired} name="name" className="field" maxLength={200} required />}
        </Field>
        <Button type="submit" disabled={add.isPending}>
          {words.addProject}
        </Button>
      </div>
      {add.isError && <Failure error={add.error} />}
    </form>
  );
}
