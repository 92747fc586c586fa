/** What a job's trainer showed after each epoch: asked for once, then kept up by what the live stream tells. */
import { queryOptions, useQueryClient } from '@tanstack/react-query';
import { api, ask, type Schemas } from '~/api/client';
import type { LiveEvent } from '~/live/events';
import { useLiveQuery } from '~/live/query';

export type Samples = Schemas['SamplesOfJob'];
export type Epoch = Schemas['SampleEpoch'];
export type Sample = Schemas['SamplePicture'];
export type Mark = { label: string; box?: number[] | null; confidence?: number };

export const samplesQuery = (jobId: string) =>
  queryOptions({
    queryKey: ['job-samples', jobId],
    queryFn: async ({ signal }) => {
      const params = { path: { job_id: jobId } };
      return local(await ask(api.GET('/v1/jobs/{job_id}/samples', { params, signal })));
    },
  });

/** Pictures come from where the page came from, whatever the backend calls itself. */
function local(samples: Samples): Samples {
  const here = (address: string) => new URL(address, location.origin).pathname;
  return {
    epochs: samples.epochs.map(({ epoch, items }) => ({
      epoch,
      items: items.map((item) => ({ ...item, url: here(item.url), plain_url: item.plain_url && here(item.plain_url) })),
    })),
  };
}

export function useSamples(jobId: string) {
  const client = useQueryClient();
  const options = samplesQuery(jobId);
  return useLiveQuery(
    options,
    (event) => event.job_id === jobId && event.type === 'sample',
    (events) => client.setQueryData(options.queryKey, (known) => known && events.reduce(withSample, known)),
  );
}

/** A picture that was just told of, in its place. What no trainer should have sent changes nothing. */
export function withSample(known: Samples, event: LiveEvent): Samples {
  const { epoch, index, plain } = event.data;
  if (!isCount(epoch) || epoch < 1 || !isCount(index) || event.job_id === null) return known;
  const base = `/v1/jobs/${encodeURIComponent(event.job_id)}/samples`;
  const told: Sample = {
    index,
    url: `${base}/${epoch}/${index}.jpg`,
    plain_url: typeof plain === 'string' ? `${base}/0/${index}.jpg` : null,
    truth: marksIn(event.data.truth),
    found: marksIn(event.data.found).map((mark) => ({ ...mark, confidence: mark.confidence ?? 0 })),
  };
  const before = known.epochs.find((one) => one.epoch === epoch)?.items ?? [];
  const items = [...before.filter((item) => item.index !== index), told].sort((a, b) => a.index - b.index);
  const others = known.epochs.filter((one) => one.epoch !== epoch);
  return { epochs: [...others, { epoch, items }].sort((a, b) => a.epoch - b.epoch) };
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0;
}

function marksIn(told: unknown): Mark[] {
  if (!Array.isArray(told)) return [];
  return told.flatMap((one: unknown): Mark[] => {
    if (typeof one !== 'object' || one === null || !('label' in one) || typeof one.label !== 'string') return [];
    const box =
      'box' in one && Array.isArray(one.box) && one.box.every((edge) => typeof edge === 'number') ? one.box : null;
    const confidence = 'confidence' in one && typeof one.confidence === 'number' ? { confidence: one.confidence } : {};
    return [{ label: one.label, box: box as number[] | null, ...confidence }];
  });
}
