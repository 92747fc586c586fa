/** What the charts of a page share: where the pointer is, and how far they are zoomed in. */
import { useState, useSyncExternalStore } from 'react';
import type { Range } from './lines';

export class ChartSync {
  private heard = new Set<() => void>();
  hover: number | null = null;
  zoom: Range | null = null;

  subscribe = (tell: () => void): (() => void) => {
    this.heard.add(tell);
    return () => void this.heard.delete(tell);
  };

  /** `x` in the charts' own measure; null: nowhere. */
  setHover(x: number | null): void {
    if (x === this.hover) return;
    this.hover = x;
    for (const tell of this.heard) tell();
  }

  /** null: everything there is. */
  setZoom(range: Range | null): void {
    if (range !== null && !(range.max > range.min)) return;
    this.zoom = range;
    for (const tell of this.heard) tell();
  }
}

/** One for all charts that have the same measure along the bottom. */
export function useChartSync(): ChartSync {
  return useState(() => new ChartSync())[0];
}

export function useHover(sync: ChartSync): number | null {
  return useSyncExternalStore(sync.subscribe, () => sync.hover);
}

export function useZoom(sync: ChartSync): Range | null {
  return useSyncExternalStore(sync.subscribe, () => sync.zoom);
}
