/** The columns of the list, from left to right, and which of them fit. */
import type { Sort } from './chosen';

export type Column = {
  name: 'state' | 'name' | 'trainer' | 'model' | 'tier' | 'dataset' | 'progress' | 'metric' | 'started' | 'duration';
  sort?: Sort;
  /** Right-aligned, as numbers are. */
  number?: boolean;
  /** Only where there is much room. */
  desk?: boolean;
};

export const COLUMNS: readonly Column[] = [
  { name: 'state', sort: 'state' },
  { name: 'name', sort: 'name' },
  { name: 'trainer', sort: 'framework', desk: true },
  { name: 'model', sort: 'model' },
  { name: 'tier', desk: true },
  { name: 'dataset', sort: 'dataset' },
  { name: 'progress' },
  { name: 'metric', sort: 'metric', number: true },
  { name: 'started', sort: 'started', number: true },
  { name: 'duration', sort: 'duration', number: true },
];

/** Of the head and of every row: the same, so that they stand above each other. */
export const GRID =
  'grid items-center gap-x-3 px-4 ' +
  'grid-cols-[20px_106px_minmax(100px,1.5fr)_minmax(56px,0.8fr)_minmax(56px,0.9fr)_minmax(130px,1.5fr)_76px_80px_76px] ' +
  'desk:grid-cols-[20px_106px_minmax(110px,1.8fr)_minmax(60px,0.7fr)_minmax(60px,0.7fr)_minmax(74px,0.6fr)_minmax(70px,0.9fr)_minmax(150px,1.5fr)_80px_84px_80px]';

export const ROW_WIDE = 40;
export const ROW_NARROW = 64;
export const HEAD = 32;
