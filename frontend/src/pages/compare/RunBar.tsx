/** The runs that are compared: each with its colour, as everywhere on this page. */
import { Link } from '@tanstack/react-router';
import { useWords } from '~/i18n/words';
import { Button } from '~/ui/Button';
import { StateIcon, shownState } from '~/ui/StateMark';
import { Dot } from './Dot';
import { nameOf, type Place } from './runs';
import { compareWords } from './words';

type Props = { places: Place[]; base: string; onBase: (id: string) => void; onRemove: (id: string) => void };

export function RunBar({ places, base, onBase, onRemove }: Props) {
  const words = useWords(compareWords);
  return (
    <ul aria-label={words.runs} className="m-0 flex list-none flex-wrap gap-2 border-line border-b p-0 px-4 py-2">
      {places.map((place) => {
        const name = nameOf(place);
        const isBase = place.id === base;
        return (
          <li
            key={place.id}
            className="flex max-w-full items-center gap-2 rounded-field border border-line py-0.5 pr-1 pl-2.5"
          >
            <Dot place={place.colour} />
            {place.job === undefined ? (
              <span className="min-w-0 truncate text-muted" title={words.lost}>
                {name}
              </span>
            ) : (
              <>
                <StateIcon state={shownState(place.job)} />
                <Link
                  to="/jobs/$jobId"
                  params={{ jobId: place.id }}
                  title={`${name} · ${place.id}`}
                  className="min-w-0 max-w-60 truncate font-strong text-text no-underline hover:underline"
                >
                  {name}
                </Link>
              </>
            )}
            {place.job === undefined && <span className="text-muted text-small">{words.lost}</span>}
            {place.job !== undefined && (
              <Button
                kind="quiet"
                className={`min-h-7! px-2! text-small ${isBase ? 'bg-accent-soft!' : 'font-normal! text-muted'}`}
                aria-pressed={isBase}
                aria-label={words.baseOf(name)}
                title={words.makeBase(name)}
                onClick={() => onBase(place.id)}
              >
                {words.base}
              </Button>
            )}
            <Button
              kind="quiet"
              className="min-h-7! min-w-7 px-1! text-muted"
              aria-label={words.remove(name)}
              title={words.remove(name)}
              onClick={() => onRemove(place.id)}
            >
              <span aria-hidden>×</span>
            </Button>
          </li>
        );
      })}
    </ul>
  );
}
