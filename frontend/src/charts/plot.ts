/** A uPlot that draws lines as many points as it has pixels, and shares pointer and zoom with the other charts. */
import uPlot from 'uplot';
import { decimate, type Plotted } from './decimate';
import { drawMarker, drawMarks, drawStars } from './draw';
import { extent, type Line, type Range } from './lines';
import { smooth } from './smooth';
import type { ChartSync } from './sync';

/** What a plot is made for; another of it is another plot. */
export type Shape = {
  lines: Pick<Line, 'colour' | 'dashed'>[];
  log: boolean;
  /** Raw values are faint behind the smoothed ones. */
  smoothed: boolean;
  xText: (value: number) => string;
  yText: (value: number) => string;
  time: boolean;
  colour: (name: string) => string;
};

export type Shown = { lines: readonly Line[]; smoothing: number; marker: number | null };

const NOTHING: Plotted = { x: [], ys: [], marks: [] };
const STEPS = [1, 2, 5].flatMap((n) => Array.from({ length: 12 }, (_, power) => n * 10 ** power)).sort((a, b) => a - b);
/** On a log scale only whole powers of ten get a line. */
const ofTen = (tick: number) => (Number.isInteger(Math.round(Math.log10(tick) * 1e6) / 1e6) ? tick : null);
const LEAST_DRAG = 5; // pixels; less is a click

export class Plot {
  private readonly u: uPlot;
  private readonly leave: () => void;
  private shown: Shown = { lines: [], smoothing: 0, marker: null };
  private plotted = NOTHING;
  private following = false;

  constructor(
    place: HTMLElement,
    private readonly shape: Shape,
    private readonly sync: ChartSync,
    size: { width: number; height: number },
  ) {
    this.u = new uPlot(this.options(size), [[]], place);
    let zoom = sync.zoom;
    this.leave = sync.subscribe(() => {
      if (zoom !== sync.zoom) this.draw();
      zoom = sync.zoom;
      this.follow();
    });
  }

  show(shown: Shown): void {
    this.shown = shown;
    this.draw();
  }

  resize(size: { width: number; height: number }): void {
    if (size.width === this.u.width && size.height === this.u.height) return;
    this.u.setSize(size);
    this.draw();
  }

  destroy(): void {
    this.leave();
    this.u.destroy();
  }

  /** What is to be seen of the lines along the bottom. */
  get range(): Range {
    const range = this.sync.zoom ?? extent(this.shown.lines) ?? { min: 0, max: 1 };
    return range.min === range.max ? { min: range.min - 0.5, max: range.max + 0.5 } : range;
  }

  private draw(): void {
    const { lines, smoothing } = this.shown;
    const { range, u } = this;
    const columns = Math.max(1, Math.floor(u.over.clientWidth || u.width));
    const drawn = this.shape.smoothed
      ? lines.flatMap(({ steps, values }) => [
          { steps, values },
          { steps, values: smooth(values, smoothing) },
        ])
      : lines;
    this.plotted = decimate(drawn, range, columns, this.shape.log);
    u.batch(() => {
      u.setData([this.plotted.x, ...this.plotted.ys] as uPlot.AlignedData, false);
      u.setScale('x', range);
    });
  }

  /** Put the crosshair where it is in the chart under the pointer. */
  private follow(): void {
    if (this.following) return;
    const { u } = this;
    const x = this.sync.hover;
    let left = x === null ? -10 : u.valToPos(x, 'x');
    if (left < 0 || left > u.over.clientWidth) left = -10;
    if (Math.abs(left - (u.cursor.left ?? -10)) < 0.5) return;
    u.setCursor({ left, top: Math.min(left, 0) }, false);
  }

  private options(size: { width: number; height: number }): uPlot.Options {
    const { shape } = this;
    const { colour } = shape;
    const font = `11px ${colour('sans')}`;
    const axis: uPlot.Axis = {
      stroke: colour('muted'),
      font,
      grid: { stroke: colour('line'), width: 1 },
      ticks: { show: false },
    };
    return {
      ...size,
      legend: { show: false },
      padding: [8, 12, 0, 0],
      scales: {
        x: { time: shape.time, auto: false },
        y: {
          distr: shape.log ? 3 : 1,
          range: (_u, low, high) => {
            if (low === null || high === null) return shape.log ? [0.1, 1] : [0, 1];
            return shape.log ? uPlot.rangeLog(low, high, 10, false) : uPlot.rangeNum(low, high, 0.08, true);
          },
        },
      },
      axes: [
        {
          ...axis,
          size: 24,
          gap: 4,
          space: shape.time ? 84 : 50,
          ...(!shape.time && { incrs: STEPS }),
          values: (_u, ticks) => ticks.map((tick) => (shape.time || Number.isInteger(tick) ? shape.xText(tick) : '')),
        },
        {
          ...axis,
          gap: 4,
          ...(shape.log && { grid: { ...axis.grid, filter: (_u, ticks) => ticks.map(ofTen) } }),
          size: (_u, values) => 14 + 6.4 * Math.max(2, ...(values ?? []).map((text) => text?.length ?? 0)),
          values: (_u, ticks) => ticks.map((tick) => (tick === null ? '' : shape.yText(tick))),
        },
      ],
      series: [{}, ...shape.lines.flatMap((line) => this.series(line))],
      cursor: {
        y: false,
        drag: { x: true, y: false, setScale: false, dist: LEAST_DRAG },
        points: { size: 6, fill: (_u, i) => this.strokeOf(i), width: 0 },
        bind: {
          dblclick: () => () => {
            this.sync.setZoom(null);
            return null;
          },
        },
      },
      hooks: {
        setCursor: [
          (u) => {
            if (this.following) return;
            const left = u.cursor.left ?? -10;
            this.following = true;
            this.sync.setHover(left < 0 ? null : u.posToVal(left, 'x'));
            this.following = false;
          },
        ],
        setSelect: [
          (u) => {
            const { left, width } = u.select;
            if (width >= LEAST_DRAG)
              this.sync.setZoom({ min: u.posToVal(left, 'x'), max: u.posToVal(left + width, 'x') });
            u.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
          },
        ],
        draw: [
          (u) => {
            drawMarker(u, this.shown.marker, colour('line-strong'));
            drawMarks(u, this.ownMarks(), colour('failed'));
            drawStars(u, this.stars(), colour('bg'));
          },
        ],
      },
    };
  }

  private series({ colour: name, dashed }: Shape['lines'][number]): uPlot.Series[] {
    const colour = this.shape.colour(name);
    const line: uPlot.Series = {
      stroke: colour,
      width: 1.5,
      ...(dashed && { dash: [5, 4] }),
      points: { size: 4, fill: colour, space: 14 },
    };
    return this.shape.smoothed ? [{ ...line, alpha: 0.25, points: { show: false } }, line] : [line];
  }

  private strokeOf(series: number): string {
    const line = this.shape.lines[Math.floor((series - 1) / (this.shape.smoothed ? 2 : 1))];
    return line === undefined ? 'transparent' : this.shape.colour(line.colour);
  }

  /** Of the raw lines. */
  private ownMarks(): number[] {
    return this.plotted.marks.filter((_, i) => !this.shape.smoothed || i % 2 === 0).flat();
  }

  private stars(): { x: number; y: number; colour: string }[] {
    return this.shown.lines.flatMap(({ best, steps, values }, i) => {
      const place = best == null ? -1 : steps.indexOf(best);
      const y = values[place];
      if (best == null || y == null || !Number.isFinite(y)) return [];
      return [{ x: best, y, colour: this.shape.colour(this.shape.lines[i]?.colour ?? 'text') }];
    });
  }
}
