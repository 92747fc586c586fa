/** Which job stands in which row, so that live changes move nothing that somebody looks at. */
import type { Job } from '~/api/client';

export const PAGE = 100;

/** What the server said last; `key` names the filters and the order. */
export type Fresh = { key: string; total: number | undefined; pages: ReadonlyMap<number, readonly Job[]> };

/** While `held`, rows keep their places and only what is in them changes. Until another choice has its first answer, the
 * rows before it stay. */
export class Rows {
  private key: string | null = null;
  private pages = new Map<number, readonly Job[]>();
  total: number | undefined;

  take(fresh: Fresh, held: boolean): void {
    const same = fresh.key === this.key;
    if (!same && (fresh.total === undefined || (fresh.total > 0 && fresh.pages.size === 0))) return;
    const before = same && held ? this.pages : new Map<number, readonly Job[]>();
    const byId = new Map([...fresh.pages.values()].flatMap((jobs) => jobs.map((job) => [job.id, job] as const)));
    this.pages = new Map(
      [...fresh.pages].map(([page, jobs]) => [page, (before.get(page) ?? jobs).map((job) => byId.get(job.id) ?? job)]),
    );
    if (!same || !held || this.total === undefined) this.total = fresh.total ?? this.total;
    this.key = fresh.key;
  }

  /** Whether these rows belong to an earlier choice. */
  isOld(key: string): boolean {
    return this.key !== null && this.key !== key;
  }

  at(row: number): Job | undefined {
    return this.pages.get(Math.floor(row / PAGE))?.[row % PAGE];
  }

  indexOf(id: string): number {
    for (const [page, jobs] of this.pages) {
      const index = jobs.findIndex((job) => job.id === id);
      if (index >= 0) return page * PAGE + index;
    }
    return -1;
  }
}

/** Pages that hold rows `first` to `last`, with one more in the direction of reading. */
export function pagesOf(first: number, last: number, total: number): number[] {
  const final = Math.max(0, Math.ceil(total / PAGE) - 1);
  const from = Math.min(Math.floor(first / PAGE), final);
  const to = Math.min(Math.floor((last + PAGE / 4) / PAGE), final);
  return Array.from({ length: to - from + 1 }, (_, index) => from + index);
}

/** A position right above the newest job: lists from there keep their offsets, whatever comes. */
export function topOf(newest: Pick<Job, 'created_at'> | undefined): string | null {
  return newest === undefined ? null : `${(newest.created_at + 1e-6).toFixed(6)}_a`;
}
