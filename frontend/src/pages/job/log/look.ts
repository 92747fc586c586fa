/** How a style looks in this theme: legible whatever a program chose, on light and on dark. Pure. */
import type { CSSProperties } from 'react';
import type { Colour, Style } from './ansi';

const NAMES = ['black', 'red', 'green', 'yellow', 'blue', 'magenta', 'cyan', 'white'];

function raw(colour: Colour): string {
  return typeof colour === 'number' ? `var(--ansi-${NAMES[colour % 8]})` : colour;
}

function legible(colour: Colour): string {
  if (colour === 8) return 'var(--muted)';
  if (colour === 0) return 'light-dark(var(--ansi-black), var(--muted))';
  if (typeof colour === 'number') return raw(colour);
  return `light-dark(oklch(from ${colour} min(l, 0.48) c h), oklch(from ${colour} max(l, 0.76) c h))`;
}

export function lookOf(style: Style): CSSProperties | undefined {
  const look: CSSProperties = {};
  const { fg, bg } = style;
  if (style.inverse) {
    look.color = 'var(--bg)';
    look.background = fg === null ? 'var(--text)' : legible(fg);
  } else {
    if (fg !== null) look.color = legible(fg);
    else if (style.dim) look.color = 'var(--muted)';
    if (bg !== null) look.background = `color-mix(in srgb, ${raw(bg)} 16%, transparent)`;
  }
  if (style.bold) look.fontWeight = 600;
  if (style.italic) look.fontStyle = 'italic';
  const lines = [style.underline && 'underline', style.strike && 'line-through'].filter(Boolean);
  if (lines.length > 0) look.textDecoration = lines.join(' ');
  return Object.keys(look).length > 0 ? look : undefined;
}
