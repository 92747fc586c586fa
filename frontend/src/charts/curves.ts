/** A job's curves: asked for once, then growing by what the live stream tells, so that nothing is lost or doubled. */
import { asNumber, type Told } from '~/format/format';
import type { LiveEvent } from '~/live/events';
import { firstAt } from './lines';

export type Curve = { steps: number[]; values: number[] };
export type Answer = Record<string, { steps: number[]; values: Told[] }>;
type Point = { name: string; step: number; value: number };

/** What an event says of metrics: the backend stores exactly these points (callbacks/service.py). */
export function pointsOf({ type, data }: Pick<LiveEvent, 'type' | 'data'>): Point[] {
  if (type !== 'heartbeat' && type !== 'validation') return [];
  const { metrics, step, epoch } = data;
  if (typeof metrics !== 'object' || metrics === null) return [];
  const at = type === 'heartbeat' ? (step ?? epoch ?? 0) : epoch;
  if (typeof at !== 'number' || !Number.isInteger(at)) return [];
  return Object.entries(metrics)
    .filter((pair): pair is [string, Told] => isTold(pair[1]))
    .map(([name, value]) => ({ name, step: at, value: asNumber(value) }));
}

function isTold(value: unknown): value is Told {
  return typeof value === 'number' || value === 'NaN' || value === 'Infinity' || value === '-Infinity';
}

export class Curves {
  private known = new Map<string, Curve>();
  /** What came while an answer was on its way, which may be older than it. */
  private meanwhile: Point[] | null = null;

  get curves(): ReadonlyMap<string, Curve> {
    return this.known;
  }

  /** Ask for all of it. What is heard until the answer is here is put on top of it. Throws what `ask` throws. */
  async load(ask: () => Promise<Answer>): Promise<void> {
    const heard: Point[] = [];
    this.meanwhile = heard;
    try {
      const answer = await ask();
      if (this.meanwhile !== heard) return; // asked again since: that answer is newer
      this.known = new Map(
        Object.entries(answer).map(([name, { steps, values }]) => [name, { steps, values: values.map(asNumber) }]),
      );
      for (const point of heard) this.put(point);
    } finally {
      if (this.meanwhile === heard) this.meanwhile = null;
    }
  }

  /** Whether anything came of it. */
  hear(events: readonly Pick<LiveEvent, 'type' | 'data'>[]): boolean {
    let any = false;
    for (const event of events) {
      for (const point of pointsOf(event)) {
        this.put(point);
        this.meanwhile?.push(point);
        any = true;
      }
    }
    return any;
  }

  /** A step that is known already takes the new value, as in the backend. */
  private put({ name, step, value }: Point): void {
    const curve = this.known.get(name);
    if (curve === undefined) {
      this.known.set(name, { steps: [step], values: [value] });
      return;
    }
    const { steps, values } = curve;
    const place = firstAt(steps, step);
    if (steps[place] === step) values[place] = value;
    else if (place === steps.length) {
      steps.push(step);
      values.push(value);
    } else {
      steps.splice(place, 0, step);
      values.splice(place, 0, value);
    }
  }
}
