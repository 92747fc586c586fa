/** The lines that are in view, of any number: see viewport.ts. */
import { type ClipboardEvent, type KeyboardEvent, useEffect, useLayoutEffect, useRef, useState } from 'react';
import { useWords } from '~/i18n/words';
import { parseAnsi } from './ansi';
import type { FeedState, LogFeed } from './feed';
import { LogRow } from './LogRow';
import type { LogOptions } from './options';
import { useHeldRows } from './selection';
import { LONGEST, plainLine, splitTrace, styleBefore } from './shown';
import { areaHeight, ROW, shareAfterAppend, shareAfterPrepend, shareFor, shareOf, viewAt } from './viewport';
import { logWords } from './words';

const NEAR_START = 1_500; // pixels to the oldest line, from which older ones are asked for

/** Where to go: a line into the middle, or an end. A new object each time. */
export type Goto = { line: number | 'start' | 'end' };

type Props = {
  feed: LogFeed;
  state: FeedState;
  options: LogOptions;
  follow: boolean;
  onFollow: (follow: boolean) => void;
  needle: string;
  current: number | null;
  goto: Goto;
};

export function LogPane({ feed, state, options, follow, onFollow, needle, current, goto }: Props) {
  const words = useWords(logWords);
  const { text } = feed;
  const pane = useRef<HTMLDivElement>(null);
  const block = useRef<HTMLDivElement>(null);
  const [share, setShare] = useState(1);
  const [height, setHeight] = useState(0);
  const [mean, setMean] = useState(ROW);
  const [width, setWidth] = useState(0);
  const known = useRef({ first: text.first, end: text.end });
  const placed = useRef(-1); // the scroll position that we set
  const all = useRef(false); // everything is selected, seen or not

  const rows = text.length;
  const row = options.wrap ? mean : ROW;
  const area = areaHeight(rows, row);
  // what fits begins at the top
  const view = viewAt(area > height ? share : 0, rows, height);
  const held = useHeldRows(pane, () => onFollow(false));
  const from = held === null ? view.from : Math.max(0, Math.min(view.from, held.from - text.first));
  const to = held === null ? view.to : Math.min(rows, Math.max(view.to, held.to + 1 - text.first));

  useEffect(() => {
    const box = pane.current;
    if (box === null) return;
    const observer = new ResizeObserver(() => setHeight(box.clientHeight));
    observer.observe(box);
    setHeight(box.clientHeight);
    return () => observer.disconnect();
  }, []);

  // lines came: what is seen stays where it is, or the end stays in view
  // biome-ignore lint/correctness/useExhaustiveDependencies: by the text's version
  useLayoutEffect(() => {
    const was = known.current;
    known.current = { first: text.first, end: text.end };
    if (follow || was.first === was.end) return setShare(1);
    setShare((share) => {
      const before = was.end - was.first;
      const grown = shareAfterPrepend(share, before, before + (was.first - text.first), row, height);
      return shareAfterAppend(grown, before + (was.first - text.first), text.length, row, height);
    });
  }, [state.version, follow]);

  // the scroll bar shows the share
  useLayoutEffect(() => {
    const box = pane.current;
    if (box === null) return;
    const wanted = share * Math.max(0, area - height);
    if (Math.abs(box.scrollTop - wanted) < 1) return;
    box.scrollTop = wanted;
    placed.current = box.scrollTop;
  }, [share, area, height]);

  // with lines of several heights only the drawn ones can say where the anchor is
  useLayoutEffect(() => {
    const drawn = block.current;
    if (drawn === null || height === 0) return;
    if (!options.wrap) {
      drawn.style.top = `${view.y - view.above * ROW - (view.anchor - from) * ROW}px`;
      const widest = Math.ceil(drawn.getBoundingClientRect().width);
      if (widest > width) setWidth(widest);
      return;
    }
    const anchor = drawn.children[view.anchor - from];
    if (anchor instanceof HTMLElement)
      drawn.style.top = `${view.y - view.above * anchor.offsetHeight - anchor.offsetTop}px`;
    const found = to > from ? Math.max(ROW, drawn.offsetHeight / (to - from)) : ROW;
    if (Math.abs(found - mean) / mean > 0.1) setMean(found);
  });

  // biome-ignore lint/correctness/useExhaustiveDependencies: goes once for each wish
  useEffect(() => {
    if (goto.line === 'start') setShare(0);
    else if (goto.line === 'end') setShare(1);
    else setShare(shareFor(goto.line - text.first, text.length, row, height));
  }, [goto]);

  // again after each part that came: it may have been a short one
  const nearStart = share * Math.max(0, rows * row - height) < NEAR_START;
  // biome-ignore lint/correctness/useExhaustiveDependencies: see above
  useEffect(() => {
    if (nearStart && height > 0 && state.phase === 'ready' && state.error === null) void feed.older();
  }, [nearStart, height, feed, state.phase, state.error, state.from]);

  const onScroll = () => {
    const box = pane.current;
    if (box === null || Math.abs(box.scrollTop - placed.current) < 1) return;
    const found = shareOf(box.scrollTop, area, height);
    if (found < share && follow) onFollow(false);
    else if (box.scrollTop >= area - height - 2 && !follow && held === null) onFollow(true);
    placed.current = -1;
    setShare(found);
  };

  const onKeyDown = (event: KeyboardEvent) => {
    const everything = (event.ctrlKey || event.metaKey) && event.key === 'a';
    if (!(event.ctrlKey || event.metaKey)) all.current = false;
    if (!everything || block.current === null) return;
    event.preventDefault();
    all.current = true;
    getSelection()?.selectAllChildren(block.current);
  };

  const onCopy = (event: ClipboardEvent) => {
    if (!all.current) return;
    event.preventDefault();
    const lines = Array.from({ length: rows }, (_, n) => plainLine(text.line(text.first + n).text, options.trace));
    event.clipboardData.setData('text/plain', lines.join('\n'));
  };

  let style = styleBefore(text, text.first + from);
  const drawn = Array.from({ length: Math.max(0, to - from) }, (_, n) => {
    const id = text.first + from + n;
    const { text: raw, more } = text.line(id, LONGEST);
    const start = style;
    if (raw.includes('\u001b')) style = parseAnsi(splitTrace(raw).text, style).end;
    const time = options.times && feed.hasTimes ? feed.arrived(id) : undefined;
    return (
      <LogRow
        key={id}
        id={id}
        raw={raw}
        more={more}
        start={start}
        needle={needle}
        current={id === current}
        wrap={options.wrap}
        trace={options.trace}
        time={time}
      />
    );
  });

  return (
    <div
      ref={pane}
      role="log"
      aria-live="off"
      aria-label={words.log}
      // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, so the keyboard has to get at it
      tabIndex={0}
      onScroll={onScroll}
      onKeyDown={onKeyDown}
      onMouseDown={() => {
        all.current = false;
      }}
      onCopy={onCopy}
      className="min-h-0 flex-1 overflow-auto [overflow-anchor:none]"
    >
      <div style={{ height: area, width: options.wrap ? '100%' : Math.max(width, 0), minWidth: '100%' }}>
        <div className="sticky top-0 overflow-clip" style={{ height }}>
          <div
            ref={block}
            className={`absolute left-0 break-normal font-mono text-small leading-[18px] ${options.wrap ? 'right-0' : 'min-w-full'}`}
          >
            {drawn}
          </div>
        </div>
      </div>
    </div>
  );
}
