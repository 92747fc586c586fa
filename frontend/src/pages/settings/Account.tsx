import { useMutation, useQueryClient } from '@tanstack/react-query';
import type { FormEvent } from 'react';
import { api, ask } from '~/api/client';
import { meQuery, useMe } from '~/api/session';
import { useWords } from '~/i18n/words';
import { Button } from '~/ui/Button';
import { Field } from '~/ui/Field';
import { Failure } from '~/ui/Told';
import { toast } from '~/ui/toast';
import { Section } from './parts';
import { settingsWords } from './words';

export function Account() {
  const words = useWords(settingsWords);
  const me = useMe();
  const signOut = useMutation({
    mutationFn: () => ask(api.POST('/v1/auth/sign-out')),
    onSuccess: () => location.assign('/sign-in'),
  });
  return (
    <Section title={words.account}>
      <div className="flex flex-wrap items-center gap-3">
        <span>
          {words.signedInAs(me.name)} {me.administrator && <span className="text-muted">{words.administrator}</span>}
        </span>
        <Button onClick={() => signOut.mutate()} disabled={signOut.isPending}>
          {words.signOut}
        </Button>
      </div>
      {signOut.isError && <Failure error={signOut.error} />}
      <Password />
    </Section>
  );
}

function Password() {
  const words = useWords(settingsWords);
  const me = useMe();
  const client = useQueryClient();
  const change = useMutation({
    mutationFn: (body: { old: string | null; new: string }) => ask(api.POST('/v1/me/password', { body })),
    onSuccess: async () => {
      toast(words.passwordSet);
      await client.invalidateQueries({ queryKey: meQuery.queryKey });
    },
  });
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = event.currentTarget;
    const given = new FormData(form);
    const old = String(given.get('old') ?? '');
    change.mutate({ old: old || null, new: String(given.get('new')) }, { onSuccess: () => form.reset() });
  };
  return (
    <form onSubmit={submit} className="flex max-w-sm flex-col gap-3">
      {me.has_password && (
        <Field label={words.oldPassword}>
          {(wired) => <input {...wired} name="old" type="password" className="field" autoComplete="current-password" />}
        </Field>
      )}
      <Field label={words.newPassword} help={words.passwordHelp}>
        {(wired) => (
          <input
            {...wired}
            name="new"
            type="password"
            className="field"
            autoComplete="new-password"
            minLength={10}
            maxLength={200}
            required
          />
        )}
      </Field>
      {change.isError && <Failure error={change.error} />}
      <div>
        <Button type="submit" disabled={change.isPending}>
          {me.has_password ? words.setPassword : words.givePassword}
        </Button>
      </div>
    </form>
  );
}
