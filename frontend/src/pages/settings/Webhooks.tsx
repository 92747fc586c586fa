import { queryOptions, useQuery } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import { api, ask, type Schemas } from '~/api/client';
import { useWords } from '~/i18n/words';
import { Button } from '~/ui/Button';
import { Field } from '~/ui/Field';
import { StateMark } from '~/ui/StateMark';
import { stateWords } from '~/ui/stateWords';
import { Ago } from '~/ui/Time';
import { Failure, Skeleton } from '~/ui/Told';
import { toast } from '~/ui/toast';
import { useChange } from './change';
import { Once, Row, Rows, Sure } from './parts';
import { settingsWords } from './words';

type Webhook = Schemas['WebhookOut'];

const ENDS = ['SUCCEEDED', 'FAILED', 'CANCELLED'] as const;
const AGAIN_MS = 5_000; // a delivery's result comes when the receiver has answered

const webhooksQuery = (projectId: string) =>
  queryOptions({
    queryKey: ['webhooks', projectId],
    queryFn: ({ signal }) =>
      ask(api.GET('/v1/projects/{project_id}/webhooks', { params: { path: { project_id: projectId } }, signal })),
    refetchInterval: AGAIN_MS,
  });

export function Webhooks({ projectId }: { projectId: string }) {
  const words = useWords(settingsWords);
  const webhooks = useQuery(webhooksQuery(projectId));
  return (
    <div className="flex flex-col gap-3">
      <div>
        <h3 className="m-0 text-body">{words.webhooks}</h3>
        <p className="m-0 text-muted">{words.webhooksHelp}</p>
      </div>
      {webhooks.isError && <Failure error={webhooks.error} onRetry={() => void webhooks.refetch()} />}
      {webhooks.isPending && <Skeleton className="h-12" />}
      {webhooks.data && (
        <Rows empty={words.noWebhooks}>
          {webhooks.data.items.map((webhook) => (
            <One key={webhook.id} projectId={projectId} webhook={webhook} />
          ))}
        </Rows>
      )}
      <NewWebhook projectId={projectId} />
    </div>
  );
}

function One({ projectId, webhook }: { projectId: string; webhook: Webhook }) {
  const words = useWords(settingsWords);
  const key = ['webhooks', projectId];
  const params = { path: { project_id: projectId, webhook_id: webhook.id } };
  const remove = useChange(() => ask(api.DELETE('/v1/projects/{project_id}/webhooks/{webhook_id}', { params })), key);
  const test = useChange(() => ask(api.POST('/v1/projects/{project_id}/webhooks/{webhook_id}/test', { params })), key);
  return (
    <Row
      main={webhook.url}
      facts={
        <>
          {webhook.states.map((state) => (
            <StateMark key={state} state={state} />
          ))}
          <LastDelivery last={webhook.last} />
        </>
      }
      actions={
        <>
          <Button
            kind="quiet"
            disabled={test.isPending}
            onClick={() => test.mutate(undefined, { onSuccess: () => toast(words.tested) })}
          >
            {words.test}
          </Button>
          <Sure
            label={words.remove}
            question={words.sureWebhook}
            error={remove.error}
            onYes={() => remove.mutateAsync(undefined)}
          />
        </>
      }
    />
  );
}

function LastDelivery({ last }: { last: Webhook['last'] }) {
  const words = useWords(settingsWords);
  if (last === null) return <span>{words.notTried}</span>;
  const failure = last.error || `HTTP ${last.status ?? ''}`;
  return (
    <span className={last.ok ? '' : 'text-failed'}>
      {last.ok && last.status !== null ? words.delivered(last.status) : words.notDelivered(failure)} ·{' '}
      <Ago at={last.at} />
    </span>
  );
}

function NewWebhook({ projectId }: { projectId: string }) {
  const words = useWords(settingsWords);
  const states = useWords(stateWords);
  const [secret, setSecret] = useState<string | null>(null);
  const add = useChange(
    (body: Schemas['NewWebhook']) =>
      ask(api.POST('/v1/projects/{project_id}/webhooks', { params: { path: { project_id: projectId } }, body })),
    ['webhooks', projectId],
  );
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = event.currentTarget;
    const given = new FormData(form);
    const chosen = ENDS.filter((state) => given.get(state) !== null);
    add.mutate(
      { url: String(given.get('url')).trim(), states: chosen },
      {
        onSuccess: (made) => {
          setSecret(made.secret);
          form.reset();
        },
      },
    );
  };
  return (
    <>
      {secret !== null && <Once note={words.secretOnce} secret={secret} onClose={() => setSecret(null)} />}
      <form onSubmit={submit} className="flex flex-col gap-3">
        <div className="grid items-end gap-3 wide:grid-cols-[1fr_auto]">
          <Field label={words.address}>
            {(wired) => <input {...wired} name="url" type="url" className="field" placeholder="https://" required />}
          </Field>
          <Button type="submit" disabled={add.isPending}>
            {words.addWebhook}
          </Button>
        </div>
        <div className="flex flex-wrap gap-4">
          {ENDS.map((state) => (
            <label key={state} className="inline-flex items-center gap-2">
              <input type="checkbox" name={state} defaultChecked />
              {states[state]}
            </label>
          ))}
        </div>
      </form>
      {add.isError && <Failure error={add.error} />}
    </>
  );
}
