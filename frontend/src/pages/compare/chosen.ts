/** Which runs are compared, in which order and with which: as the address says it. */
import type { Search } from '~/app/search';

export const MOST = 10;

export type Compared = {
  ids: string[];
  /** The one that the others are measured against. */
  base: string;
  /** Rows of the table that are the same in all runs, too. */
  all: boolean;
  /** null: the newest that all have. */
  epoch: number | null;
};

export function readCompared(search: Search): Compared {
  const ids = [...new Set((search.jobs ?? '').split(',').map((id) => id.trim()))].filter(Boolean).slice(0, MOST);
  const epoch = Number(search.epoch);
  return {
    ids,
    base: ids.find((id) => id === search.base) ?? ids[0] ?? '',
    all: search.all === 'yes',
    epoch: Number.isInteger(epoch) && epoch > 0 ? epoch : null,
  };
}

export function writeCompared({ ids, base, all, epoch }: Compared): Search {
  const said: Search = {};
  if (ids.length > 0) said.jobs = ids.join(',');
  if (base !== '' && base !== ids[0]) said.base = base;
  if (all) said.all = 'yes';
  if (epoch !== null) said.epoch = String(epoch);
  return said;
}

export function withRun(compared: Compared, id: string): Compared {
  if (compared.ids.includes(id) || compared.ids.length >= MOST) return compared;
  return { ...compared, ids: [...compared.ids, id], base: compared.base || id };
}

export function withoutRun(compared: Compared, id: string): Compared {
  const ids = compared.ids.filter((one) => one !== id);
  return { ...compared, ids, base: compared.base === id ? (ids[0] ?? '') : compared.base };
}
