/** A picture with boxes and their labels on it.
 *
 * `<Overlay src={url} width={640} height={480} unit="pixel" alt="…" boxes={[{ label: 'cat', box: [10, 20, 200, 210] }]} />`
 * It takes its place before the picture is there (width and height say its shape), as wide as its parent, and no
 * higher than `maxHeight`. Without `labels` only the boxes: for small ones in a grid. */
import type { ReactNode } from 'react';
import { useFormat } from '~/format/format';
import { asShares, type Box, classColour, labelPlace, type Rectangle, type Unit } from './boxes';

const PIXELS_SHOWN = 96; // tiny pictures keep their squares

type Placed = { key: string; one: Box; at: Rectangle; colour: string };

export function Overlay(props: {
  src: string;
  width: number;
  height: number;
  unit: Unit;
  alt: string;
  boxes: readonly Box[];
  labels?: boolean;
  maxHeight?: string;
  /** `lazy` for those in a long grid. */
  loading?: 'lazy' | 'eager';
  className?: string;
  /** Something over a corner: a mark, a button. */
  children?: ReactNode;
}) {
  const { width, height, maxHeight, labels = true } = props;
  const ratio = width > 0 && height > 0 ? width / height : 1;
  const placed = place(props.boxes, props.unit, width, height);
  return (
    <div
      className={`relative overflow-hidden bg-sunken ${props.className ?? ''}`}
      style={{ aspectRatio: ratio, width: maxHeight ? `min(100%, calc(${maxHeight} * ${ratio}))` : '100%' }}
    >
      <img
        src={props.src}
        alt={props.alt}
        loading={props.loading}
        decoding="async"
        draggable={false}
        className={`block size-full ${Math.max(width, height) <= PIXELS_SHOWN ? '[image-rendering:pixelated]' : ''}`}
      />
      <Lines placed={placed} />
      {labels && <Labels placed={placed} />}
      {props.children}
    </div>
  );
}

function place(boxes: readonly Box[], unit: Unit, width: number, height: number): Placed[] {
  return boxes.flatMap((one, index) => {
    const at = asShares(one.box, unit, width, height);
    return at === null ? [] : [{ key: `${index} ${one.label}`, one, at, colour: one.colour ?? classColour(one.label) }];
  });
}

/** Each on a wider line that its colour was made for, to be seen on bright, dark and busy pictures. */
function Lines({ placed }: { placed: Placed[] }) {
  return (
    <svg
      aria-hidden
      viewBox="0 0 1 1"
      preserveAspectRatio="none"
      className="pointer-events-none absolute inset-0 size-full"
    >
      {placed.map(({ key, one, at: [left, top, right, bottom], colour }) => {
        const shape = { x: left, y: top, width: right - left, height: bottom - top, fill: 'none' };
        return (
          <g key={key}>
            <rect
              {...shape}
              style={{ stroke: 'color-mix(in srgb, var(--bg) 75%, transparent)' }}
              strokeWidth={4}
              vectorEffect="non-scaling-stroke"
            />
            <rect
              {...shape}
              style={{ stroke: colour }}
              strokeWidth={2}
              strokeDasharray={one.dashed ? '6 4' : undefined}
              vectorEffect="non-scaling-stroke"
            />
          </g>
        );
      })}
    </svg>
  );
}

function Labels({ placed }: { placed: Placed[] }) {
  const format = useFormat();
  return placed.map(({ key, one, at, colour }) => {
    const { above, ...where } = labelPlace(at);
    return (
      <span
        key={key}
        className={`pointer-events-none absolute truncate border-l-4 bg-bg px-1 text-small text-text leading-4 ${above ? '-translate-y-full' : ''} ${one.dashed ? 'border-dashed' : ''}`}
        style={{ ...where, borderColor: colour }}
      >
        {one.label}
        {one.confidence !== undefined && one.confidence !== null && (
          <span className="pl-1 text-muted">{format.share(one.confidence)}</span>
        )}
      </span>
    );
  });
}
