/** What a classifier took a picture for, and whether that is right: a mark and words, not a colour alone. */
import { useFormat } from '~/format/format';
import { useWords } from '~/i18n/words';
import { verdictOf } from './marks';
import type { Sample } from './samples';
import { pictureWords } from './words';

export function Verdict({ sample }: { sample: Sample }) {
  const words = useWords(pictureWords);
  const format = useFormat();
  const { label, confidence, wanted, right } = verdictOf(sample);
  const colour = right === null ? '' : right ? 'text-succeeded' : 'text-failed';
  const told = label === null ? words.nothing : words.takenFor(label, format.share(confidence ?? 0));
  return (
    <span className="flex min-w-0 flex-col">
      <span className="flex min-w-0 items-baseline gap-1.5" title={told}>
        {right !== null && (
          <span role="img" aria-label={right ? words.right : words.wrong} className={`shrink-0 font-strong ${colour}`}>
            {right ? '✓' : '✕'}
          </span>
        )}
        {label === null ? (
          <span className="truncate">{words.nothing}</span>
        ) : (
          <>
            <span className="min-w-0 truncate font-strong">{label}</span>
            <span className="shrink-0 text-muted">{format.share(confidence ?? 0)}</span>
          </>
        )}
      </span>
      {right === false && wanted !== null && (
        <span className="truncate text-muted" title={wanted}>
          {words.is(wanted)}
        </span>
      )}
    </span>
  );
}
