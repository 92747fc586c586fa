/** The lines by name, with the values under the pointer of any chart; without one, the last values. */
import { useMemo } from 'react';
import { useFormat } from '~/format/format';
import { useWords } from '~/i18n/words';
import { type Line, nearest } from './lines';
import { type ChartSync, useHover } from './sync';
import { chartWords } from './words';

export function Legend(props: {
  lines: readonly Line[];
  hidden: ReadonlySet<string>;
  onToggle: (id: string) => void;
  sync: ChartSync;
  yText: (value: number) => string;
}) {
  const words = useWords(chartWords);
  const x = useHover(props.sync);
  return (
    <div className="flex flex-wrap items-baseline gap-x-3 text-small">
      {props.lines.map((line) => {
        const off = props.hidden.has(line.id);
        return (
          <button
            key={line.id}
            type="button"
            aria-pressed={!off}
            title={words.show(line.label)}
            onClick={() => props.onToggle(line.id)}
            className={`inline-flex max-w-full items-baseline gap-1.5 rounded-field border-0 bg-transparent px-0 hover:bg-sunken ${off ? 'text-muted line-through' : 'text-text'}`}
          >
            <Swatch line={line} />
            <span className="truncate">{line.label}</span>
            {/* as wide as any number of four digits: nothing moves while the pointer does */}
            <span className="min-w-[9ch] text-left font-mono tabular-nums">{valueAt(line, x, props.yText)}</span>
          </button>
        );
      })}
    </div>
  );
}

function Swatch({ line }: { line: Line }) {
  return (
    <svg aria-hidden width="16" height="8" viewBox="0 0 16 8" className="shrink-0 self-center">
      <line
        x1="0"
        x2="16"
        y1="4"
        y2="4"
        stroke={`var(--${line.colour})`}
        strokeWidth="2"
        strokeDasharray={line.dashed ? '4 3' : undefined}
      />
    </svg>
  );
}

function valueAt({ steps, values }: Line, x: number | null, yText: (value: number) => string): string {
  const place = x === null ? values.length - 1 : nearest(steps, x);
  const value = place === null ? undefined : values[place];
  return value == null ? '–' : yText(value);
}

/** The step that the pointer is at, in words. */
export function HoveredStep(props: { lines: readonly Line[]; sync: ChartSync; at: (step: number) => string }) {
  const x = useHover(props.sync);
  const step = x === null ? null : hoveredStep(props.lines, x);
  return (
    <span className="ml-auto shrink-0 whitespace-nowrap text-muted text-small">
      {step === null ? '' : props.at(step)}
    </span>
  );
}

/** The step that is nearest to the pointer in any line. */
function hoveredStep(lines: readonly Line[], x: number): number | null {
  let found: number | null = null;
  for (const { steps } of lines) {
    const place = nearest(steps, x);
    const step = place === null ? undefined : steps[place];
    if (step !== undefined && (found === null || Math.abs(step - x) < Math.abs(found - x))) found = step;
  }
  return found;
}

const NAMED = 5;

/** How often there was no number to draw, and where: the crosses at the bottom of the chart. */
export function NoNumbers({ lines, at }: { lines: readonly Line[]; at: (step: number) => string }) {
  const words = useWords(chartWords);
  const format = useFormat();
  const places = useMemo(() => withoutNumber(lines), [lines]);
  if (places.length === 0) return null;
  const named = places.slice(0, NAMED).map(at).join(', ');
  const where = places.length > NAMED ? `${named} …` : named;
  return (
    <span className="shrink-0 whitespace-nowrap text-failed text-small" title={words.noNumberWhy(where)}>
      {words.noNumber(format.count(places.length))}
      <span className="sr-only"> {words.noNumberWhy(where)}</span>
    </span>
  );
}

function withoutNumber(lines: readonly Line[]): number[] {
  const found = new Set<number>();
  for (const { steps, values } of lines)
    for (let at = 0; at < values.length; at++) {
      const value = values[at];
      if (value != null && !Number.isFinite(value)) found.add(steps[at] as number);
    }
  return [...found].sort((a, b) => a - b);
}
