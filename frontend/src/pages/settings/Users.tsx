import { queryOptions, useQuery } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import { api, ask, type Schemas } from '~/api/client';
import { useMe } from '~/api/session';
import { useWords } from '~/i18n/words';
import { Button } from '~/ui/Button';
import { Field } from '~/ui/Field';
import { Ago } from '~/ui/Time';
import { Failure, Skeleton } from '~/ui/Told';
import { useChange } from './change';
import { Once, Row, Rows, Section } from './parts';
import { settingsWords } from './words';

const usersQuery = queryOptions({
  queryKey: ['users'],
  queryFn: ({ signal }) => ask(api.GET('/v1/users', { signal })),
});

export function Users() {
  const words = useWords(settingsWords);
  const users = useQuery(usersQuery);
  const [link, setLink] = useState<{ name: string; url: string } | null>(null);
  return (
    <Section title={words.users}>
      {users.isError && <Failure error={users.error} onRetry={() => void users.refetch()} />}
      {users.isPending && <Skeleton className="h-12" />}
      {link !== null && <Once note={words.linkFor(link.name)} secret={link.url} onClose={() => setLink(null)} />}
      {users.data && (
        <Rows empty="">
          {users.data.items.map((user) => (
            <One key={user.id} user={user} onLink={(url) => setLink({ name: user.name, url })} />
          ))}
        </Rows>
      )}
      <NewUser />
    </Section>
  );
}

function One({ user, onLink }: { user: Schemas['UserOut']; onLink: (url: string) => void }) {
  const words = useWords(settingsWords);
  const me = useMe();
  const path = { user_id: user.id };
  const change = useChange(
    (body: Schemas['ChangeUser']) => ask(api.PATCH('/v1/users/{user_id}', { params: { path }, body })),
    ['users'],
  );
  const link = useChange(() => ask(api.POST('/v1/auth/links', { body: { user: user.name } })), ['users']);
  const failed = change.error ?? link.error;
  return (
    <Row
      main={user.name}
      facts={
        <>
          {user.administrator && <span>{words.administrator}</span>}
          {user.disabled && <span className="text-failed">{words.disabled}</span>}
          <span>
            {words.seen}: {user.seen_at === null ? words.never : <Ago at={user.seen_at} />}
          </span>
          {failed !== null && <Failure error={failed} />}
        </>
      }
      actions={
        user.id !== me.id && (
          <>
            {!user.disabled && (
              <Button kind="quiet" onClick={() => link.mutate(undefined, { onSuccess: ({ url }) => onLink(url) })}>
                {words.link}
              </Button>
            )}
            <Button kind="quiet" onClick={() => change.mutate({ disabled: !user.disabled })}>
              {user.disabled ? words.enable : words.disable}
            </Button>
          </>
        )
      }
    />
  );
}

function NewUser() {
  const words = useWords(settingsWords);
  const add = useChange((body: Schemas['NewUser']) => ask(api.POST('/v1/users', { body })), ['users']);
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = event.currentTarget;
    const given = new FormData(form);
    const body = {
      name: String(given.get('name')).trim(),
      password: String(given.get('password')) || null,
      administrator: given.get('administrator') !== null,
    };
    add.mutate(body, { onSuccess: () => form.reset() });
  };
  return (
    <form onSubmit={submit} className="flex flex-col gap-3">
      <div className="grid items-end gap-3 wide:grid-cols-[1fr_1fr_auto_auto]">
        <Field label={words.userName}>
          {(wired) => (
            <input {...wired} name="name" className="field" maxLength={60} title={words.userNameHelp} required />
          )}
        </Field>
        <Field label={words.password}>
          {(wired) => (
            <input
              {...wired}
              name="password"
              type="password"
              className="field"
              autoComplete="new-password"
              minLength={10}
            />
          )}
        </Field>
        <label className="inline-flex min-h-8 items-center gap-2">
          <input type="checkbox" name="administrator" />
          {words.makeAdministrator}
        </label>
        <Button type="submit" disabled={add.isPending}>
          {words.addUser}
        </Button>
      </div>
      {add.isError && <Failure error={add.error} />}
    </form>
  );
}
