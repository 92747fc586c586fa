/** Colours of tokens.css for what CSS can't reach: charts and overlays on a canvas. */

export const RUN_COLOURS = 10;

export function token(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
}

/** The colour of the n-th run or class, as a CSS value. */
export function runColour(n: number): string {
  return `var(--run-${n % RUN_COLOURS})`;
}
