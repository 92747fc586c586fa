/** Looks for a text in all lines that are here, a little at a time, so that the page stays quick; goes on by itself with
 * lines that come later, at either end. */
import { folded, plainLine, withoutReturns } from './shown';
import type { LogText } from './text';

const BLOCK = 2_000; // lines at once
const SLICE_MS = 10;

export class Finder {
  /** Ids of the lines that have it, in order. */
  found: number[] = [];
  private from: number;
  private to: number;
  private readonly needle: string;

  constructor(
    private readonly text: LogText,
    needle: string,
    private readonly withTrace: boolean,
  ) {
    this.needle = needle.toLowerCase();
    this.from = text.first;
    this.to = text.first;
  }

  get done(): boolean {
    return this.from <= this.text.first && this.to >= this.closedEnd;
  }

  /** A line that is still written is looked at when it is over. */
  private get closedEnd(): number {
    return this.text.closed ? this.text.end : this.text.end - 1;
  }

  /** Look for a few milliseconds. Call again while not `done`. */
  step(now: () => number = () => performance.now()): void {
    const until = now() + SLICE_MS;
    while (!this.done && now() < until) {
      if (this.to < this.closedEnd) {
        const { lines, hits } = this.look(this.to, this.closedEnd - this.to);
        for (const id of hits) this.found.push(id);
        this.to += lines;
      } else {
        const from = Math.max(this.text.first, this.from - BLOCK);
        const hits: number[] = [];
        for (let at = from; at < this.from; ) {
          const looked = this.look(at, this.from - at);
          hits.push(...looked.hits);
          at += looked.lines;
        }
        this.found = hits.concat(this.found);
        this.from = from;
      }
    }
  }

  private look(id: number, most: number): { lines: number; hits: number[] } {
    const { text, lines } = this.text.block(id, Math.min(most, BLOCK));
    if (!this.mayBeIn(text)) return { lines, hits: [] };
    const hits: number[] = [];
    for (const [place, raw] of text.split('\n').slice(0, lines).entries()) {
      const plain = plainLine(withoutReturns(raw), this.withTrace);
      if (folded(plain)?.includes(this.needle)) hits.push(id + place);
    }
    return { lines, hits };
  }

  /** Cheap, for many lines at once; escapes may stand in the middle of what is looked for. */
  private mayBeIn(block: string): boolean {
    return block.includes('\u001b') || block.includes('\b') || block.toLowerCase().includes(this.needle);
  }
}

/** The hit to go to next: behind (or before) a line, around the ends. */
export function nextHit(found: readonly number[], line: number, back: boolean): number | null {
  if (found.length === 0) return null;
  if (back) return found.findLast((id) => id < line) ?? found.at(-1) ?? null;
  return found.find((id) => id > line) ?? found[0] ?? null;
}
