/** Lines in one picture, with the values under the pointer; several share pointer and zoom by one ChartSync.
 * Load it lazily: it brings uPlot. */
import 'uplot/dist/uPlot.min.css';
import './chart.css';
import { type KeyboardEvent, type ReactNode, useCallback, useEffect, useId, useMemo, useRef, useState } from 'react';
import { useTheme } from '~/app/theme';
import { metric, useFormat } from '~/format/format';
import { useLanguage } from '~/i18n/language';
import { useWords } from '~/i18n/words';
import { token } from '~/ui/tokens';
import { keyMoves } from './keys';
import { HoveredStep, Legend, NoNumbers } from './Legend';
import { bounds, type Line } from './lines';
import { Plot, type Shape } from './plot';
import type { ChartSync } from './sync';
import { Values } from './Values';
import { chartWords } from './words';

export type ChartProps = {
  title: string;
  lines: readonly Line[];
  sync: ChartSync;
  /** What `steps` are. */
  x?: 'epoch' | 'step' | 'time';
  /** How values are written; as metrics are, unless told. */
  yText?: (value: number) => string;
  height?: number;
  log?: boolean;
  /** 0 to 0.99 */
  smoothing?: number;
  /** A thin line over the whole height there: the best epoch. */
  marker?: number | null;
  /** Beside the title. */
  actions?: ReactNode;
};

export function Chart({ yText = metric, x = 'epoch', height = 200, smoothing = 0, log = false, ...props }: ChartProps) {
  const { title, lines, sync, marker = null } = props;
  const words = useWords(chartWords);
  const format = useFormat();
  const id = useId();
  const [hidden, setHidden] = useState<ReadonlySet<string>>(new Set());
  const seen = useMemo(() => lines.filter((line) => !hidden.has(line.id)), [lines, hidden]);
  const xText = x === 'time' ? format.clock : format.count;
  const at = useCallback(
    (step: number) => (x === 'time' ? format.clock(step) : words[x](format.count(step))),
    [x, format, words],
  );
  const empty = lines.every(({ steps }) => steps.length === 0);
  const unseeable = useMemo(() => log && seen.every(({ values }) => (bounds(values)?.high ?? 1) <= 0), [log, seen]);
  const toggle = (line: string) =>
    setHidden((before) => new Set(before.has(line) ? [...before].filter((one) => one !== line) : [...before, line]));

  return (
    <figure className="chart m-0 flex min-w-0 flex-col gap-1" aria-labelledby={`${id}-title`}>
      <figcaption className="flex min-h-7 items-center gap-2">
        <span id={`${id}-title`} className="min-w-0 truncate font-strong" title={title}>
          {title}
        </span>
        <NoNumbers lines={lines} at={at} />
        <HoveredStep lines={lines} sync={sync} at={at} />
        <span className="flex shrink-0 items-center">{props.actions}</span>
      </figcaption>
      <Legend lines={lines} hidden={hidden} onToggle={toggle} sync={sync} yText={yText} />
      {/* biome-ignore lint/a11y/useSemanticElements: a group of drawn things, not of fields */}
      <div
        role="group"
        // biome-ignore lint/a11y/noNoninteractiveTabindex: the keys move the marker and zoom
        tabIndex={0}
        aria-label={title}
        aria-roledescription={words.chart}
        aria-describedby={`${id}-keys`}
        onKeyDown={(event: KeyboardEvent) => keyMoves(event, seen, sync)}
        onBlur={() => sync.setHover(null)}
        className="relative"
        style={{ height }}
      >
        <Drawn {...{ lines: seen, sync, log, smoothing, marker, height, xText, yText, time: x === 'time' }} />
        {(empty || (unseeable && seen.length > 0)) && (
          <p className="absolute inset-0 m-0 flex items-center justify-center px-4 text-center text-muted">
            {empty ? words.nothing : words.notPositive}
          </p>
        )}
      </div>
      <p id={`${id}-keys`} className="sr-only">
        {words.keys}
      </p>
      <Values title={title} lines={lines} at={at} yText={yText} />
    </figure>
  );
}

type DrawnProps = Required<Pick<ChartProps, 'lines' | 'sync' | 'log' | 'smoothing' | 'height' | 'yText'>> & {
  marker: number | null;
  xText: (step: number) => string;
  time: boolean;
};

function Drawn({ lines, sync, log, smoothing, marker, height, xText, yText, time }: DrawnProps) {
  const place = useRef<HTMLDivElement>(null);
  const plot = useRef<Plot | null>(null);
  const theme = useTheme();
  const smoothed = smoothing > 0;
  const language = useLanguage();
  // read when something is drawn: a writer that is made anew with every render makes no new plot
  const text = useRef({ xText, yText });
  text.current = { xText, yText };
  const looks = JSON.stringify(lines.map(({ colour, dashed }) => ({ colour, dashed })));

  // biome-ignore lint/correctness/useExhaustiveDependencies: in another language the axes are written anew
  useEffect(() => {
    const box = place.current;
    if (box === null) return;
    const size = () => ({ width: box.clientWidth, height });
    const lines: Shape['lines'] = JSON.parse(looks);
    const colours = new Map<string, string>([['theme', theme]]);
    const colour = (name: string) => colours.get(name) ?? colours.set(name, token(name)).get(name) ?? '';
    const written = {
      xText: (value: number) => text.current.xText(value),
      yText: (value: number) => text.current.yText(value),
    };
    const made = new Plot(box, { lines, log, smoothed, time, colour, ...written }, sync, size());
    plot.current = made;
    const watch = new ResizeObserver(() => made.resize(size()));
    watch.observe(box);
    return () => {
      watch.disconnect();
      made.destroy();
      plot.current = null;
    };
  }, [looks, log, smoothed, theme, language, time, sync, height]);

  // after the one above: what is shown follows a plot that was made anew, too
  // biome-ignore lint/correctness/useExhaustiveDependencies: the same as above
  useEffect(() => {
    plot.current?.show({ lines, smoothing, marker });
  }, [lines, smoothing, marker, looks, log, smoothed, theme, language, time, sync, height]);

  return <div ref={place} aria-hidden className="h-full w-full overflow-hidden" />;
}
