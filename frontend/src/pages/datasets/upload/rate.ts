/** How quickly bytes go, over the last seconds: quick to follow a change, slow enough to be read. */

const OVER_MS = 15_000;
const TELLS_AFTER_MS = 800;

export class Rate {
  private marks: { at: number; sent: number }[] = [];

  /** Bytes a second, or null while too little is known. */
  mark(sent: number, at: number): number | null {
    this.marks.push({ at, sent });
    while (this.marks.length > 2 && (this.marks[1]?.at ?? at) <= at - OVER_MS) this.marks.shift();
    const first = this.marks[0];
    if (first === undefined || at - first.at < TELLS_AFTER_MS) return null;
    return ((sent - first.sent) * 1000) / (at - first.at);
  }

  /** A pause doesn't count. */
  forget(): void {
    this.marks = [];
  }
}

/** Seconds until the rest is there, or null while nobody can tell. */
export function secondsLeft(bytes: number, sent: number, rate: number | null): number | null {
  return rate === null || rate <= 0 ? null : (bytes - sent) / rate;
}
