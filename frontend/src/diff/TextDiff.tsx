/** Two texts, line by line, with what differs marked by colour and by a sign. */
import { useMemo, useState } from 'react';
import { useFormat } from '~/format/format';
import { useWords } from '~/i18n/words';
import { type DiffLine, diffLines, hunks, linesOf } from './lines';
import { diffWords } from './words';

export function TextDiff({ before, after, label }: { before: string; after: string; label: string }) {
  const words = useWords(diffWords);
  const format = useFormat();
  const parts = useMemo(() => hunks(diffLines(linesOf(before), linesOf(after))), [before, after]);
  const [open, setOpen] = useState<ReadonlySet<number>>(new Set());
  if (before === after) return <p className="m-0 p-3 text-muted">{words.same}</p>;
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: long lines are scrolled to by keyboard, too
    <section aria-label={label} tabIndex={0} className="relative overflow-x-auto font-mono text-small">
      <div className="w-max min-w-full">
        {parts.map((part, place) => {
          if ('lines' in part) return <Lines key={keyOf(part.lines)} lines={part.lines} />;
          if (open.has(place)) return <Lines key={keyOf(part.folded)} lines={part.folded} />;
          return (
            <button
              key={keyOf(part.folded)}
              type="button"
              className="block w-full border-0 bg-raised px-3 py-1 text-left font-sans text-muted hover:bg-sunken"
              onClick={() => setOpen(new Set([...open, place]))}
            >
              {words.folded(format.count(part.folded.length))}
            </button>
          );
        })}
      </div>
    </section>
  );
}

const keyOf = (lines: readonly DiffLine[]) => `${lines[0]?.before}-${lines[0]?.after}`;

const LOOK = { same: '', in: 'bg-[color-mix(in_srgb,var(--succeeded)_14%,transparent)]', out: 'bg-failed-soft' };
const SIGN = { same: '', in: '+', out: '−' };

function Lines({ lines }: { lines: readonly DiffLine[] }) {
  const words = useWords(diffWords);
  return lines.map((line) => (
    <div key={`${line.before}-${line.after}`} className={`flex ${LOOK[line.change]}`}>
      <Place at={line.before} />
      <Place at={line.after} />
      <span aria-hidden className="w-5 shrink-0 text-center">
        {SIGN[line.change]}
      </span>
      {line.change !== 'same' && <span className="sr-only">{words[line.change]}</span>}
      <span className="whitespace-pre pr-3">{line.text || ' '}</span>
    </div>
  ));
}

function Place({ at }: { at: number | null }) {
  return (
    <span aria-hidden className="w-10 shrink-0 select-none pr-2 text-right text-muted">
      {at}
    </span>
  );
}
