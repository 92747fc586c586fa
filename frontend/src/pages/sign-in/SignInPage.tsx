/** Signing in: by the one-time link that `up` prints, or with name and password. */
import { useSearch } from '@tanstack/react-router';
import { type FormEvent, useEffect, useRef, useState } from 'react';
import { ApiError, api, ask } from '~/api/client';
import { useWords } from '~/i18n/words';
import { Button } from '~/ui/Button';
import { Field } from '~/ui/Field';
import { Rich } from '~/ui/Rich';
import { ErrorText, Failure } from '~/ui/Told';
import { localTarget } from './target';
import { signInWords } from './words';

/** The code is behind the #: it reaches no server and no log, and is taken out of the address at once. */
function takeCode(): string | null {
  const code = new URLSearchParams(location.hash.slice(1)).get('code');
  if (code !== null) history.replaceState(null, '', location.pathname + location.search);
  return code;
}

export function SignInPage() {
  const words = useWords(signInWords);
  const search = useSearch({ strict: false });
  const [error, setError] = useState<unknown>(null);
  const [busy, setBusy] = useState(false);
  const [withLink, setWithLink] = useState(false);
  const tried = useRef(false);

  const enter = async (request: Promise<unknown>) => {
    setBusy(true);
    setError(null);
    try {
      await request;
      // a whole load: nothing of whoever was here before stays in memory
      location.replace(localTarget(search.to));
    } catch (failed) {
      setError(failed);
      setBusy(false);
    }
  };

  useEffect(() => {
    document.title = `${words.title} · trainyard`;
  }, [words.title]);

  // biome-ignore lint/correctness/useExhaustiveDependencies: once, at the start: a code counts only once
  useEffect(() => {
    if (tried.current) return;
    tried.current = true;
    const code = takeCode();
    if (code === null) return;
    setWithLink(true);
    void enter(ask(api.POST('/v1/auth/link', { body: { code } })));
  }, []);

  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    setWithLink(false);
    const body = { name: String(form.get('name')), password: String(form.get('password')) };
    void enter(ask(api.POST('/v1/auth/sign-in', { body })));
  };

  return (
    <main className="mx-auto flex min-h-dvh max-w-sm flex-col justify-center gap-4 px-4">
      <h1 className="m-0 text-large">trainyard</h1>
      {busy && withLink ? (
        <p role="status">{words.signingIn}</p>
      ) : (
        <form onSubmit={submit} className="flex flex-col gap-3">
          <Field label={words.name}>
            {(wired) => <input {...wired} name="name" className="field" autoComplete="username" required />}
          </Field>
          <Field label={words.password}>
            {(wired) => (
              <input
                {...wired}
                name="password"
                type="password"
                className="field"
                autoComplete="current-password"
                required
              />
            )}
          </Field>
          {error !== null && <Problem error={error} withLink={withLink} />}
          <Button type="submit" kind="primary" disabled={busy}>
            {busy ? words.signingIn : words.signIn}
          </Button>
          <p className="m-0 text-muted text-small">
            <Rich text={words.linkHelp} />
          </p>
        </form>
      )}
    </main>
  );
}

function Problem({ error, withLink }: { error: unknown; withLink: boolean }) {
  const words = useWords(signInWords);
  if (!(error instanceof ApiError) || (error.status !== 401 && error.status !== 429)) return <Failure error={error} />;
  const limited = error.status === 429;
  return (
    <p role="alert" className="m-0 text-failed">
      {limited ? <ErrorText error={error} /> : <Rich text={withLink ? words.linkUsed : words.wrong} />}
    </p>
  );
}
