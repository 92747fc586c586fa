import { queryOptions, useQuery } from '@tanstack/react-query';
import type { FormEvent } from 'react';
import { api, ask } from '~/api/client';
import type { Role } from '~/api/session';
import { useWords } from '~/i18n/words';
import { Button } from '~/ui/Button';
import { Field } from '~/ui/Field';
import { Failure, Skeleton } from '~/ui/Told';
import { useChange } from './change';
import { Row, Rows, Sure } from './parts';
import { RoleSelect } from './RoleSelect';
import { settingsWords } from './words';

const membersQuery = (projectId: string) =>
  queryOptions({
    queryKey: ['members', projectId],
    queryFn: ({ signal }) =>
      ask(api.GET('/v1/projects/{project_id}/members', { params: { path: { project_id: projectId } }, signal })),
  });

type Given = { name: string; role: Role };

export function Members({ projectId, isAdmin }: { projectId: string; isAdmin: boolean }) {
  const words = useWords(settingsWords);
  const members = useQuery(membersQuery(projectId));
  const key = ['members', projectId];
  const path = (name: string) => ({ path: { project_id: projectId, name } });
  const put = useChange(
    ({ name, role }: Given) =>
      ask(api.PUT('/v1/projects/{project_id}/members/{name}', { params: path(name), body: { role } })),
    key,
  );
  const remove = useChange(
    (name: string) => ask(api.DELETE('/v1/projects/{project_id}/members/{name}', { params: path(name) })),
    key,
  );
  return (
    <div className="flex flex-col gap-3">
      <h3 className="m-0 text-body">{words.members}</h3>
      {members.isError && <Failure error={members.error} onRetry={() => void members.refetch()} />}
      {members.isPending && <Skeleton className="h-12" />}
      {members.data && (
        <Rows empty={words.noMembers}>
          {members.data.items.map(({ name, role }) => (
            <Row
              key={name}
              main={name}
              facts={isAdmin ? undefined : words[role]}
              actions={
                isAdmin && (
                  <>
                    <RoleSelect
                      aria-label={`${words.role}: ${name}`}
                      className="field w-auto"
                      value={role}
                      onChange={(event) => put.mutate({ name, role: event.target.value as Role })}
                    />
                    <Sure
                      label={words.remove}
                      question={words.sureMember(name)}
                      error={remove.error}
                      onYes={() => remove.mutateAsync(name)}
                    />
                  </>
                )
              }
            />
          ))}
        </Rows>
      )}
      {put.isError && <Failure error={put.error} />}
      {isAdmin && <NewMember onAdd={(given) => put.mutateAsync(given)} />}
    </div>
  );
}

function NewMember({ onAdd }: { onAdd: (given: Given) => Promise<unknown> }) {
  const words = useWords(settingsWords);
  const submit = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = event.currentTarget;
    const given = new FormData(form);
    try {
      await onAdd({ name: String(given.get('name')).trim(), role: String(given.get('role')) as Role });
      form.reset();
    } catch {
      // shown above the form; what was typed stays
    }
  };
  return (
    <form onSubmit={(event) => void submit(event)} className="grid items-end gap-3 wide:grid-cols-[2fr_1fr_auto]">
      <Field label={words.memberName}>
        {(wired) => <input {...wired} name="name" className="field" maxLength={60} required />}
      </Field>
      <Field label={words.role}>{(wired) => <RoleSelect {...wired} name="role" defaultValue="member" />}</Field>
      <Button type="submit">{words.addMember}</Button>
    </form>
  );
}
