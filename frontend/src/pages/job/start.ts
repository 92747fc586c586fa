/** Starting a job out of another: the same again, with other parameters, or on from a checkpoint. */
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useRef } from 'react';
import { api, ask, type Schemas } from '~/api/client';
import { randomKey } from '~/api/key';

export type Start =
  | { kind: 'retry'; params?: Schemas['RetryJob']['params'] }
  | ({ kind: 'resume' } & Partial<Schemas['ResumeJob']>);

/** Goes to the new job once it is there. A double click makes one job. */
export function useStart(jobId: string) {
  const navigate = useNavigate();
  const client = useQueryClient();
  const key = useRef<string | null>(null);
  return useMutation({
    mutationFn: (start: Start) => {
      key.current ??= randomKey();
      const params = { path: { job_id: jobId }, header: { 'Idempotency-Key': key.current } };
      if (start.kind === 'retry')
        return ask(api.POST('/v1/jobs/{job_id}/retry', { params, body: { params: start.params ?? {} } }));
      const { kind: _, checkpoint = 'last', params: changed = {}, ...rest } = start;
      return ask(api.POST('/v1/jobs/{job_id}/resume', { params, body: { checkpoint, params: changed, ...rest } }));
    },
    onSettled: () => {
      key.current = null;
    },
    onSuccess: (job) => {
      void client.invalidateQueries({ queryKey: ['jobs'] });
      return navigate({ to: '/jobs/$jobId', params: { jobId: job.id } });
    },
  });
}
