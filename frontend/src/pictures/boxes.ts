/** Where boxes and their labels lie over a picture, and which colour a class has. */
import { RUN_COLOURS, runColour } from '~/ui/tokens';

/** Left, top, right, bottom. */
export type Rectangle = readonly [left: number, top: number, right: number, bottom: number];

export type Box = {
  label: string;
  box: Rectangle | readonly number[];
  /** A CSS colour; without one its class's. */
  colour?: string;
  dashed?: boolean;
  /** Between 0 and 1, written behind the label. */
  confidence?: number | null;
};

/** `share`: of the picture's width and height, 0 to 1. `pixel`: of the picture as `width` and `height` say. */
export type Unit = 'share' | 'pixel';

/** The same class has the same colour on every picture of every job (FNV-1a of its name). */
export function classColour(label: string): string {
  let hash = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(label)) hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;
  return runColour(hash % RUN_COLOURS);
}

/** As shares of the picture, corners in order, nothing outside of it; null for what is no box. */
export function asShares(box: readonly number[], unit: Unit, width: number, height: number): Rectangle | null {
  if (box.length !== 4 || box.some((edge) => !Number.isFinite(edge))) return null;
  const [x0 = 0, y0 = 0, x1 = 0, y1 = 0] = box;
  const [w, h] = unit === 'pixel' ? [width, height] : [1, 1];
  if (w <= 0 || h <= 0) return null;
  const inside = (edge: number) => Math.min(1, Math.max(0, edge));
  return [
    inside(Math.min(x0, x1) / w),
    inside(Math.min(y0, y1) / h),
    inside(Math.max(x0, x1) / w),
    inside(Math.max(y0, y1) / h),
  ];
}

export type Place = { left?: string; right?: string; top: string; maxWidth: string; above: boolean };

/** A label lies over its box's upper edge; below it at the top of the picture; leans left at its right end. */
export function labelPlace([left, top, right]: Rectangle): Place {
  const above = top > 0.08;
  const leansLeft = left > 0.7;
  return {
    ...(leansLeft ? { right: percent(1 - right) } : { left: percent(left) }),
    top: percent(top),
    maxWidth: percent(leansLeft ? right : 1 - left),
    above,
  };
}

export const percent = (share: number) => `${Number((share * 100).toFixed(3))}%`;
