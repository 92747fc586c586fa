/** What to look for, how often it is there, and going from one to the next. */
import { useFormat } from '~/format/format';
import { useWords } from '~/i18n/words';
import { Button } from '~/ui/Button';
import type { Found } from './useFinder';
import { logWords } from './words';

type Props = {
  typed: string;
  onType: (text: string) => void;
  found: Found;
  current: number | null;
  onStep: (back: boolean) => void;
};

export function SearchBox({ typed, onType, found, current, onStep }: Props) {
  const words = useWords(logWords);
  const format = useFormat();
  const searching = typed !== '';
  const at = current === null ? -1 : found.ids.indexOf(current);
  const [place, all] = [at < 0 ? '–' : format.count(at + 1), format.count(found.count)];
  return (
    <search className="flex min-w-0 items-center gap-1">
      <input
        type="search"
        className="field max-w-60"
        aria-label={words.search}
        placeholder={words.search}
        maxLength={500}
        value={typed}
        onChange={(event) => onType(event.target.value)}
        onKeyDown={(event) => {
          if (event.key === 'Enter') onStep(event.shiftKey);
          if (event.key === 'Escape') onType('');
        }}
      />
      {searching && (
        <>
          <span className="whitespace-nowrap px-1 text-muted text-small" aria-live="polite">
            {found.done && found.count === 0 ? (
              words.noHits
            ) : (
              <>
                <span aria-hidden>{words.hitsShort(place, all)}</span>
                <span className="sr-only">{words.hits(place, all)}</span>
              </>
            )}
          </span>
          <Button kind="quiet" aria-label={words.previous} title={words.previous} onClick={() => onStep(true)}>
            ↑
          </Button>
          <Button kind="quiet" aria-label={words.next} title={words.next} onClick={() => onStep(false)}>
            ↓
          </Button>
        </>
      )}
    </search>
  );
}
