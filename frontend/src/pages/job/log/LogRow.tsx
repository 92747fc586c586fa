/** One line of the log. */
import { memo } from 'react';
import { useFormat } from '~/format/format';
import { useWords } from '~/i18n/words';
import type { Style } from './ansi';
import { parseAnsi } from './ansi';
import { lookOf } from './look';
import { type ShownSpan, splitTrace, withHits } from './shown';
import { logWords } from './words';

type Props = {
  id: number;
  raw: string;
  /** Bytes of it that are not shown. */
  more: number;
  start: Style;
  needle: string;
  current: boolean;
  wrap: boolean;
  trace: boolean;
  /** undefined: no times are shown; null: this line has none. */
  time: number | null | undefined;
};

export const LogRow = memo(function LogRow({ id, raw, more, start, needle, current, wrap, trace, time }: Props) {
  const words = useWords(logWords);
  const format = useFormat();
  const { trace: mark, text } = splitTrace(raw);
  const spans = withHits(parseAnsi(text, start).spans, needle);
  return (
    <div
      data-line={id}
      className={`pr-4 pl-3 ${wrap ? 'min-h-[18px] whitespace-pre-wrap' : 'h-[18px] overflow-hidden whitespace-pre'} ${current ? 'bg-accent-soft' : ''}`}
    >
      {time !== undefined && (
        <span className="inline-block w-[10ch] select-none text-muted">{time === null ? '' : format.clock(time)}</span>
      )}
      {trace && mark !== '' && <span className="text-muted">{mark} </span>}
      {spans.map((span, place) => (
        <Piece key={keyAt(place)} span={span} />
      ))}
      {more > 0 && <span className="select-none text-muted"> {words.more(format.bytes(more))}</span>}
      {/* an empty line is copied as one */}
      {spans.length === 0 && <br />}
    </div>
  );
});

/** The place in the line is what a piece of it is. */
const keyAt = (place: number) => `piece ${place}`;

function Piece({ span }: { span: ShownSpan }) {
  if (span.hit) return <mark className="bg-queued text-bg">{span.text}</mark>;
  const look = lookOf(span.style);
  return look === undefined ? span.text : <span style={look}>{span.text}</span>;
}
