/** What a terminal would show of a line: SGR colours and faces kept, every other escape dropped. Pure. */

/** 0-15: one of the palette, whose shades are the theme's; else #rrggbb. */
export type Colour = number | string;

export type Style = {
  fg: Colour | null;
  bg: Colour | null;
  bold: boolean;
  dim: boolean;
  italic: boolean;
  underline: boolean;
  strike: boolean;
  inverse: boolean;
};

export type Span = { text: string; style: Style };

export const PLAIN: Style = Object.freeze({
  fg: null,
  bg: null,
  bold: false,
  dim: false,
  italic: false,
  underline: false,
  strike: false,
  inverse: false,
});

const ESC = '\\u001b';
// CSI; OSC and the other strings up to their end; two-character escapes; one that the end of the text cut off
const ESCAPE = new RegExp(
  `(?:${ESC}\\[|\\u009b)([0-?]*)[ -/]*([@-~])` +
    `|${ESC}\\][^\\u0007\\u001b]*(?:\\u0007|${ESC}\\\\)` +
    `|${ESC}[PX^_][^\\u001b]*${ESC}\\\\` +
    `|(?:${ESC}\\[|\\u009b)[0-?]*[ -/]*$` +
    `|${ESC}\\][^\\u0007\\u001b]*$` +
    `|${ESC}(?:[ -/]*[0-~])?`,
  'g',
);
// controls, and what turns the direction of writing around: a log must not show what it does not hold
const CONTROLS = /(?![\t\n])[\p{Cc}\p{Bidi_Control}]/gu;
const MAY_HAVE = new RegExp(CONTROLS, 'u');

/** The spans of a line and the style that goes on behind it. The same `PLAIN` comes back where nothing is set. */
export function parseAnsi(text: string, start: Style = PLAIN): { spans: Span[]; end: Style } {
  if (!MAY_HAVE.test(text)) return { spans: text === '' ? [] : [{ text, style: start }], end: start };
  const spans: Span[] = [];
  let style = start;
  let at = 0;
  const show = (piece: string) => {
    if (piece === '') return;
    for (const [place, part] of piece.split('\b').entries()) {
      if (place > 0) stepBack(spans);
      const clean = part.replace(CONTROLS, '');
      if (clean === '') continue;
      const last = spans.at(-1);
      if (last !== undefined && last.style === style) last.text += clean;
      else spans.push({ text: clean, style });
    }
  };
  for (const found of text.matchAll(ESCAPE)) {
    show(text.slice(at, found.index));
    at = found.index + found[0].length;
    if (found[2] === 'm') style = withSgr(style, found[1] ?? '');
  }
  show(text.slice(at));
  return { spans, end: style };
}

/** The characters alone. */
export function withoutAnsi(text: string): string {
  if (!MAY_HAVE.test(text)) return text;
  return parseAnsi(text)
    .spans.map((span) => span.text)
    .join('');
}

/** A backspace: what is written next takes the last character's place. */
function stepBack(spans: Span[]): void {
  const last = spans.at(-1);
  if (last === undefined) return;
  last.text = last.text.slice(0, -1);
  if (last.text === '') spans.pop();
}

/** The style after the numbers of one SGR sequence: `1;31`, `38;5;208`, `48:2::10:20:30` … */
export function withSgr(style: Style, numbers: string): Style {
  if (!/^[\d;:]*$/.test(numbers)) return style;
  let next: Style = { ...style };
  const parts = numbers.split(';');
  for (let n = 0; n < parts.length; n++) {
    const part = parts[n] ?? '';
    const code = Number(part.split(':')[0]);
    if (code === 38 || code === 48) {
      const given = part.includes(':') ? withColons(part) : parts.slice(n + 1, n + 5).map(Number);
      const { colour, taken } = extended(given);
      if (!part.includes(':')) n += taken;
      if (colour !== null) next = code === 38 ? { ...next, fg: colour } : { ...next, bg: colour };
    } else next = withCode(next, code);
  }
  return same(next, PLAIN) ? PLAIN : next;
}

/** 38:2::r:g:b has an empty place for a colour space that 38;2;r;g;b lacks. */
function withColons(part: string): number[] {
  const [, kind, ...rest] = part.split(':');
  const values = kind === '2' && rest.length > 3 ? rest.slice(1) : rest;
  return [Number(kind), ...values.map(Number)];
}

function extended([kind, ...rest]: number[]): { colour: Colour | null; taken: number } {
  if (kind === 5) return { colour: ofPalette(rest[0]), taken: 2 };
  if (kind !== 2) return { colour: null, taken: 0 };
  const [red, green, blue] = rest;
  return { colour: hex(red, green, blue), taken: 4 };
}

const LEVELS = [0, 95, 135, 175, 215, 255];

function ofPalette(index: number | undefined): Colour | null {
  if (index === undefined || !(index >= 0 && index <= 255)) return null;
  if (index < 16) return index;
  if (index >= 232) return hex(8 + 10 * (index - 232), 8 + 10 * (index - 232), 8 + 10 * (index - 232));
  const place = index - 16;
  return hex(LEVELS[Math.floor(place / 36)], LEVELS[Math.floor(place / 6) % 6], LEVELS[place % 6]);
}

function hex(...parts: (number | undefined)[]): string | null {
  if (parts.some((part) => part === undefined || !(part >= 0 && part <= 255))) return null;
  return `#${parts.map((part) => Number(part).toString(16).padStart(2, '0')).join('')}`;
}

function withCode(style: Style, code: number): Style {
  if (code >= 30 && code <= 37) return { ...style, fg: code - 30 };
  if (code >= 40 && code <= 47) return { ...style, bg: code - 40 };
  if (code >= 90 && code <= 97) return { ...style, fg: code - 82 };
  if (code >= 100 && code <= 107) return { ...style, bg: code - 92 };
  switch (code) {
    case 0:
      return PLAIN;
    case 1:
      return { ...style, bold: true };
    case 2:
      return { ...style, dim: true };
    case 3:
      return { ...style, italic: true };
    case 4:
      return { ...style, underline: true };
    case 7:
      return { ...style, inverse: true };
    case 9:
      return { ...style, strike: true };
    case 22:
      return { ...style, bold: false, dim: false };
    case 23:
      return { ...style, italic: false };
    case 24:
      return { ...style, underline: false };
    case 27:
      return { ...style, inverse: false };
    case 29:
      return { ...style, strike: false };
    case 39:
      return { ...style, fg: null };
    case 49:
      return { ...style, bg: null };
    default:
      return style;
  }
}

function same(one: Style, other: Style): boolean {
  return (Object.keys(PLAIN) as (keyof Style)[]).every((key) => one[key] === other[key]);
}
