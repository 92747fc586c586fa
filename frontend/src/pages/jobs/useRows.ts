/** The rows around the window, page by page from the server, as one list that moves nothing under the eye. */
import { useQueries, useQuery, useQueryClient } from '@tanstack/react-query';
import { useCallback, useEffect, useRef, useState } from 'react';
import { api, ask, type Job } from '~/api/client';
import { askedFilters, askedOrder, type Chosen } from './chosen';
import { PAGE, Rows, topOf } from './rows';

const KEPT_MS = 60_000; // pages that were scrolled past

const headQuery = (chosen: Chosen) => {
  const asked = askedFilters(chosen);
  return {
    queryKey: ['jobs', 'head', asked],
    queryFn: ({ signal }: { signal: AbortSignal }) =>
      ask(api.GET('/v1/jobs', { params: { query: { ...asked, limit: 1 } }, signal })),
  };
};

const pageQuery = (chosen: Chosen, top: string | null, page: number) => {
  const asked = { ...askedFilters(chosen), ...askedOrder(chosen), before: top ?? undefined };
  return {
    queryKey: ['jobs', 'page', asked, page],
    queryFn: ({ signal }: { signal: AbortSignal }) =>
      ask(api.GET('/v1/jobs', { params: { query: { ...asked, limit: PAGE, offset: page * PAGE } }, signal })),
    gcTime: KEPT_MS,
  };
};

export type Listed = {
  rows: Rows;
  /** Rows of the choice before, while the first answer to this one is on its way. */
  old: boolean;
  error: unknown;
  retry: () => void;
  /** How many jobs came since, and are not shown while the rows are held. */
  news: number;
  showNews: () => Promise<void>;
  /** Jobs of rows `from` to `to`, asked for where they aren't here. */
  range: (from: number, to: number) => Promise<Job[]>;
};

/** `held`: somebody looks at certain rows: nothing may move. */
export function useRows(chosen: Chosen, pages: number[], held: boolean): Listed {
  const client = useQueryClient();
  const rows = useRef(new Rows()).current;
  const filters = JSON.stringify(askedFilters(chosen));
  const head = useQuery(headQuery(chosen));
  const newest = head.data && topOf(head.data.items[0]);

  // the list begins right above the newest job of this moment: what comes later does not shift its offsets
  const [kept, keep] = useState<{ filters: string; top: string | null }>();
  const top = kept?.filters === filters ? kept.top : newest;
  useEffect(() => {
    if (newest !== undefined && kept?.filters !== filters) keep({ filters, top: newest });
  }, [newest, filters, kept]);

  const nobody = head.data?.total === 0;
  const found = useQueries({
    queries: pages.map((page) => ({ ...pageQuery(chosen, top ?? null, page), enabled: top !== undefined && !nobody })),
  });
  const total = nobody ? 0 : found.find((one) => one.data !== undefined)?.data?.total;
  const arrived = pages.flatMap((page, index) => {
    const items = found[index]?.data?.items;
    return items === undefined ? [] : [[page, items] as const];
  });
  const key = JSON.stringify([askedFilters(chosen), askedOrder(chosen), top]);
  rows.take({ key, total: top === undefined ? undefined : total, pages: new Map(arrived) }, held);

  const news = head.data === undefined || total === undefined ? 0 : Math.max(0, head.data.total - total);
  const wanted = pages.join();
  const showNews = useCallback(async () => {
    if (newest === undefined) return;
    // first the answers, then the change: no row is empty in between
    const asked = [...new Set([0, ...wanted.split(',').map(Number)])];
    try {
      await Promise.all(asked.map((page) => client.fetchQuery(pageQuery(chosen, newest, page))));
    } catch {
      return; // the rows stay, and so does the word that there are newer ones
    }
    keep({ filters, top: newest });
  }, [client, chosen, newest, filters, wanted]);
  useEffect(() => {
    if (!held && newest !== undefined && top !== undefined && newest !== top) void showNews();
  }, [held, newest, top, showNews]);

  const range = async (from: number, to: number): Promise<Job[]> => {
    const first = Math.floor(from / PAGE);
    const needed = Array.from({ length: Math.floor(to / PAGE) - first + 1 }, (_, index) => first + index);
    const answers = await Promise.all(
      needed.map((page) => client.ensureQueryData(pageQuery(chosen, top ?? null, page))),
    );
    const jobs = answers.flatMap((answer) => answer.items);
    // rows that are here are meant as they are seen
    return Array.from(
      { length: to - from + 1 },
      (_, index) => rows.at(from + index) ?? jobs[from - first * PAGE + index],
    ).filter((job) => job !== undefined);
  };

  const failed = [head, ...found].find((one) => one.isError && one.data === undefined);
  return {
    rows,
    old: rows.isOld(key),
    error: failed?.error ?? null,
    retry: () => void client.refetchQueries({ queryKey: ['jobs'], type: 'active' }),
    news,
    showNews,
    range,
  };
}
