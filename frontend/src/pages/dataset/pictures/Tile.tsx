/** One picture of the grid: small, its boxes drawn on, its name below. */
import { useWords } from '~/i18n/words';
import { VerdictIcon } from '~/pages/datasets/VerdictMark';
import type { Box } from '~/pictures/boxes';
import { Overlay } from '~/pictures/Overlay';
import { Skeleton } from '~/ui/Told';
import { problemWords } from '../problemWords';
import type { Picture } from '../queries';
import { datasetWords } from '../words';
import { CAPTION } from './layout';

export function Tile(props: {
  picture: Picture | undefined;
  position: number;
  side: number;
  labels: boolean;
  onOpen: () => void;
}) {
  const { picture, side } = props;
  const words = useWords(datasetWords);
  const problems = useWords(problemWords);
  if (picture === undefined)
    return (
      <div style={{ height: side + CAPTION }}>
        <Skeleton className="h-full w-full" />
      </div>
    );
  const name = picture.name.split('/').at(-1) ?? picture.name;
  return (
    <button
      type="button"
      onClick={props.onOpen}
      data-position={props.position}
      title={picture.name}
      className="flex min-w-0 flex-col rounded-field border-0 bg-transparent p-0 text-left text-text"
      style={{ height: side + CAPTION }}
    >
      <span
        className="flex w-full items-center justify-center overflow-hidden rounded-field bg-sunken"
        style={{ height: side }}
      >
        {isReadable(picture) ? (
          <Overlay
            src={picture.thumbnail_url}
            width={picture.width}
            height={picture.height}
            unit="share"
            alt=""
            boxes={props.labels ? boxesOf(picture) : []}
            labels={false}
            maxHeight={`${side}px`}
            loading="lazy"
          />
        ) : isUnopened(picture) ? (
          <img src={picture.thumbnail_url} alt="" loading="lazy" className="max-h-full max-w-full" />
        ) : (
          <span className="px-2 text-center text-failed text-small">{words.unreadable}</span>
        )}
      </span>
      <span className="flex w-full items-center gap-1 pt-1 text-small">
        <span className="min-w-0 flex-1 truncate">{name}</span>
        {picture.problems.length > 0 && (
          <span
            role="img"
            aria-label={words.problemsOf(picture.problems.length)}
            title={picture.problems.map((code) => problems[code]).join('\n')}
          >
            <VerdictIcon of="warnings" />
          </span>
        )}
      </span>
      <span className="w-full truncate text-muted text-small">{caption(picture)}</span>
    </button>
  );
}

export type Readable = Picture & { width: number; height: number };

export function isReadable(picture: Picture): picture is Readable {
  return picture.width !== null && picture.height !== null;
}

/** The check had no time for it: its size is not known, and it may well be fine. */
export function isUnopened(picture: Picture): boolean {
  return picture.problems.includes('not_checked');
}

export function boxesOf(picture: Picture): Box[] {
  return picture.labels.flatMap(({ label, box }) => (box === null ? [] : [{ label, box }]));
}

/** Its split, and what is on it: each class once. */
function caption(picture: Picture): string {
  return [picture.split, [...new Set(picture.labels.map((one) => one.label))].join(', ')].filter(Boolean).join(' · ');
}
