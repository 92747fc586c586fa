/** The state of the form: what is filled in, what is wrong with it, and sending it. */
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useMemo, useRef, useState } from 'react';
import { ApiError, api, ask } from '~/api/client';
import { check } from './check';
import { baseOf, type Draft, manifestOf, type Offered, startDraft } from './draft';
import { keep, lastTrainer, recall } from './kept';
import { defaultTexts } from './params';
import { bodyOf, fieldOf, makeKeys, type Submit, standsIn } from './request';
import type { Wrong } from './wrong';

/** What stands beside a field: our own words, or what the backend said. */
export type Trouble = { kind: 'wrong'; wrong: Wrong } | { kind: 'refused'; error: ApiError };

export type Form = ReturnType<typeof useNewJob>;

export function useNewJob(offered: Offered, wantedDataset: string | undefined) {
  const [draft, setDraft] = useState<Draft>(() =>
    startDraft(offered, { datasetId: wantedDataset, framework: lastTrainer() }, recall),
  );
  const [touched, setTouched] = useState<ReadonlySet<string>>(new Set());
  const [tries, setTries] = useState(0); // after the first all fields say what is wrong with them
  const [refusal, setRefusal] = useState<{ error: unknown; field: string | null; stood: string } | null>(null);
  const [keyOf] = useState(() => makeKeys());
  const sending = useRef(false); // at once, where a render would come too late for a double click
  const navigate = useNavigate();
  const client = useQueryClient();

  const wrongs = useMemo(() => check(offered, draft), [offered, draft]);
  const base = useMemo(() => baseOf(offered, draft.framework, draft.task), [offered, draft.framework, draft.task]);

  const usualParams = useMemo(() => {
    const manifest = manifestOf(offered, draft.framework);
    return manifest && draft.task ? defaultTexts(manifest, draft.task) : {};
  }, [offered, draft.framework, draft.task]);

  const send = useMutation({
    mutationFn: (body: Submit) =>
      ask(api.POST('/v1/jobs', { body, params: { header: { 'Idempotency-Key': keyOf(body) } } })),
    onSuccess: async (job) => {
      keep(offered, draft);
      void client.invalidateQueries({ queryKey: ['jobs'] });
      await navigate({ to: '/jobs/$jobId', params: { jobId: job.id } });
    },
    onError: (error) => {
      sending.current = false;
      const field = error instanceof ApiError ? fieldOf(error) : null;
      setRefusal({ error, field, stood: standsIn(draft, field) });
      setTries((count) => count + 1);
    },
  });

  const refused = refusal !== null && standsIn(draft, refusal.field) === refusal.stood ? refusal : null;

  return {
    offered,
    draft,
    base,
    /** The trainer's own, which `base` is not where a job is cloned. */
    usualParams,
    tries,
    wrongs,
    refused,
    sending: send.isPending || send.isSuccess,
    change: (part: Partial<Draft>) => setDraft((now) => ({ ...now, ...part })),
    become: (change: (now: Draft) => Draft) => setDraft(change),
    touch: (field: string) => setTouched((now) => (now.has(field) ? now : new Set([...now, field]))),
    /** What is to be said beside a field now. */
    trouble: (field: string): Trouble | null => {
      const wrong = wrongs.get(field);
      if (wrong !== undefined) return tries > 0 || touched.has(field) ? { kind: 'wrong', wrong } : null;
      return refused?.field === field && refused.error instanceof ApiError
        ? { kind: 'refused', error: refused.error }
        : null;
    },
    submit: () => {
      if (sending.current) return;
      setRefusal(null);
      if (wrongs.size > 0) setTries((count) => count + 1);
      else {
        sending.current = true;
        send.mutate(bodyOf(offered, draft));
      }
    },
  };
}
