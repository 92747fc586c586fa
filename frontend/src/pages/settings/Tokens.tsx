import { queryOptions, useQuery } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import { api, ask, type Schemas } from '~/api/client';
import { type Role, useMe } from '~/api/session';
import { useWords } from '~/i18n/words';
import { Button } from '~/ui/Button';
import { Field } from '~/ui/Field';
import { Ago } from '~/ui/Time';
import { Failure, Skeleton } from '~/ui/Told';
import { useChange } from './change';
import { Once, Row, Rows, Section, Sure } from './parts';
import { RoleSelect } from './RoleSelect';
import { settingsWords } from './words';

const tokensQuery = queryOptions({
  queryKey: ['tokens'],
  queryFn: ({ signal }) => ask(api.GET('/v1/tokens', { signal })),
});

export function Tokens() {
  const words = useWords(settingsWords);
  const tokens = useQuery(tokensQuery);
  return (
    <Section title={words.tokens} help={words.tokensHelp}>
      {tokens.isError && <Failure error={tokens.error} onRetry={() => void tokens.refetch()} />}
      {tokens.isPending && <Skeleton className="h-12" />}
      {tokens.data && (
        <Rows empty={words.noTokens}>
          {tokens.data.items.map((token) => (
            <Token key={token.id} token={token} />
          ))}
        </Rows>
      )}
      <NewToken />
    </Section>
  );
}

function Token({ token }: { token: Schemas['TokenOut'] }) {
  const words = useWords(settingsWords);
  const path = { token_id: token.id };
  const revoke = useChange(() => ask(api.DELETE('/v1/tokens/{token_id}', { params: { path } })), ['tokens']);
  return (
    <Row
      main={token.name}
      facts={
        <>
          <code className="font-mono">{token.prefix}…</code>
          <span>{token.project_id ?? words.allProjects}</span>
          {token.role && <span>{words[token.role]}</span>}
          <span>
            {words.used}: {token.last_used_at === null ? words.never : <Ago at={token.last_used_at} />}
          </span>
          <span>
            {token.expires_at === null ? (
              words.notExpiring
            ) : (
              <>
                {words.expires}: <Ago at={token.expires_at} />
              </>
            )}
          </span>
        </>
      }
      actions={
        <Sure
          label={words.revoke}
          question={words.sure(token.name)}
          error={revoke.error}
          onYes={() => revoke.mutateAsync(undefined)}
        />
      }
    />
  );
}

function NewToken() {
  const words = useWords(settingsWords);
  const { projects } = useMe();
  const [made, setMade] = useState<string | null>(null);
  const make = useChange((body: Schemas['NewToken']) => ask(api.POST('/v1/tokens', { body })), ['tokens']);
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = event.currentTarget;
    const given = (name: string) => String(new FormData(form).get(name) ?? '').trim();
    const body = {
      name: given('name'),
      project_id: given('project') || null,
      role: (given('role') || null) as Role | null,
      days: given('days') ? Number(given('days')) : null,
    };
    make.mutate(body, {
      onSuccess: ({ token }) => {
        setMade(token);
        form.reset();
      },
    });
  };
  return (
    <>
      {made !== null && <Once note={words.tokenOnce} secret={made} onClose={() => setMade(null)} />}
      <form onSubmit={submit} className="grid items-end gap-3 wide:grid-cols-[3fr_2fr_2fr_1fr_auto]">
        <Field label={words.tokenName}>
          {(wired) => <input {...wired} name="name" className="field" maxLength={100} required />}
        </Field>
        <Field label={words.project}>
          {(wired) => (
            <select {...wired} name="project" className="field">
              <option value="">{words.allProjects}</option>
              {projects.map((project) => (
                <option key={project.id} value={project.id}>
                  {project.name}
                </option>
              ))}
            </select>
          )}
        </Field>
        <Field label={words.role}>{(wired) => <RoleSelect {...wired} name="role" defaultValue="admin" />}</Field>
        <Field label={words.days}>
          {(wired) => (
            <input {...wired} name="days" type="number" min={1} max={3650} className="field" title={words.daysHelp} />
          )}
        </Field>
        <Button type="submit" disabled={make.isPending}>
          {words.makeToken}
        </Button>
      </form>
      {make.isError && <Failure error={make.error} />}
    </>
  );
}
