/** What of a line is shown: its `[TRACE:…]` apart, its text in spans, what was searched for marked. Pure. */
import { PLAIN, parseAnsi, type Span, type Style, withoutAnsi } from './ansi';
import type { LogText } from './text';

export const LONGEST = 4_000; // bytes of a line that are shown
const LOOKED_BACK = 100; // lines whose colours may reach into the first one that is shown
const TRACE = /^\[TRACE:[^\]\s]{1,80}\] ?/;

export type ShownSpan = Span & { hit: boolean };

export function splitTrace(raw: string): { trace: string; text: string } {
  const trace = TRACE.exec(raw)?.[0] ?? '';
  return { trace: trace.trimEnd(), text: raw.slice(trace.length) };
}

/** What a terminal shows of a line that carriage returns went over: how it ended. As LogText.line does with bytes. */
export function withoutReturns(line: string): string {
  if (!line.includes('\r')) return line;
  const body = line.replace(/\r+$/, '');
  return body.slice(body.lastIndexOf('\r') + 1);
}

/** As it is copied and searched: no escapes, and the trace where it is shown. */
export function plainLine(raw: string, withTrace: boolean): string {
  const { trace, text } = splitTrace(raw);
  const plain = withoutAnsi(text);
  return withTrace && trace !== '' ? `${trace} ${plain}` : plain;
}

/** The style that a line begins with: what earlier ones left on. */
export function styleBefore(text: LogText, id: number): Style {
  let style = PLAIN;
  for (let at = Math.max(text.first, id - LOOKED_BACK); at < id; at++) {
    const { text: raw } = text.line(at, LONGEST);
    if (raw.includes('\u001b')) style = parseAnsi(raw, style).end;
  }
  return style;
}

/** For searching: of the same length as the text, or null where lower case has another. */
export function folded(text: string): string | null {
  const lower = text.toLowerCase();
  return lower.length === text.length ? lower : null;
}

/** Where `needle` (in lower case) stands in a text. */
export function hitsIn(text: string, needle: string): number[] {
  if (needle === '') return [];
  const lower = folded(text);
  if (lower === null) return [];
  const found: number[] = [];
  for (let at = lower.indexOf(needle); at >= 0; at = lower.indexOf(needle, at + needle.length)) found.push(at);
  return found;
}

/** The spans, cut where a hit begins and ends. */
export function withHits(spans: Span[], needle: string): ShownSpan[] {
  const hits = hitsIn(spans.map((span) => span.text).join(''), needle);
  const shown: ShownSpan[] = [];
  let before = 0;
  for (const { text, style } of spans) {
    const end = before + text.length;
    const cuts = new Set([before, end]);
    for (const hit of hits)
      for (const edge of [hit, hit + needle.length]) if (edge > before && edge < end) cuts.add(edge);
    const edges = [...cuts].sort((one, other) => one - other);
    for (const [n, from] of edges.slice(0, -1).entries()) {
      const hit = hits.some((at) => at <= from && from < at + needle.length);
      shown.push({ text: text.slice(from - before, (edges[n + 1] ?? end) - before), style, hit });
    }
    before = end;
  }
  return shown;
}
