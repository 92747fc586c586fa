/** The pictures that fit the filters, loaded in chunks as they are looked at. */
import { useQueries } from '@tanstack/react-query';
import { CHUNK, type Filters, type Picture, picturesQuery } from '../queries';
import { chunksFor } from './layout';

export type Pictures = {
  total: number | null;
  error: unknown;
  retry: () => void;
  at: (position: number) => Picture | undefined;
};

/** `ranges`: positions from and to which are seen. `total`: as known before, to ask for nothing beyond it. */
export function usePictures(
  datasetId: string,
  checkedAt: number | null,
  filters: Filters,
  ranges: readonly (readonly [first: number, last: number])[],
  total: number | null,
): Pictures {
  const chunks = [...new Set(ranges.flatMap(([first, last]) => chunksFor(first, last, total)))];
  const answers = useQueries({
    queries: chunks.map((chunk) => picturesQuery(datasetId, checkedAt, filters, chunk)),
  });
  const broken = answers.find((one) => one.isError);
  return {
    total: answers[chunks.indexOf(0)]?.data?.total ?? null,
    error: broken?.error ?? null,
    retry: () => {
      for (const one of answers) if (one.isError) void one.refetch();
    },
    at: (position) => {
      const answer = answers[chunks.indexOf(Math.floor(position / CHUNK))];
      return answer?.data?.items[position % CHUNK];
    },
  };
}
