/** One picture: what was found drawn on it, the same in words, and the JSON of it. */
import { useEffect, useState } from 'react';
import { useNow } from '~/format/now';
import { useWords } from '~/i18n/words';
import { Classes } from '~/pictures/Classes';
import { Overlay } from '~/pictures/Overlay';
import { Button } from '~/ui/Button';
import { ErrorText } from '~/ui/Told';
import { Found } from './Found';
import { scoresOf, sureEnough } from './findings';
import type { Picture } from './usePictures';
import type { Result } from './usePredictions';
import { tryWords } from './words';

const MOST_HEIGHT = '70dvh';

export function Shown(props: {
  jobId: string;
  picture: Picture;
  result: Result | null;
  looking: boolean;
  /** Others are looked at first. */
  waits: boolean;
  preparing: string | null;
  least: number;
  onRemove: () => void;
}) {
  const words = useWords(tryWords);
  const { picture, result } = props;
  const seen = result?.kind === 'seen' ? result.seen : null;
  const natural = useNaturalSize(picture.url);
  const size = seen ?? natural.size ?? { width: 4, height: 3 };
  const boxes = seen === null ? [] : sureEnough(seen.predictions, props.least).filter((one) => one.box);
  const scores = seen && scoresOf(seen);
  return (
    <li className="panel grid min-w-0 gap-4 p-3 wide:grid-cols-[minmax(0,1fr)_17rem]">
      <div className="flex min-w-0 flex-col gap-2">
        {(seen || !natural.broken) && (
          <Overlay
            src={picture.url}
            alt={natural.broken ? '' : picture.name}
            width={size.width}
            height={size.height}
            unit="pixel"
            maxHeight={MOST_HEIGHT}
            boxes={scores ? [] : boxes.map(({ label, box, confidence }) => ({ label, box: box ?? [], confidence }))}
          />
        )}
        {natural.broken && <p className="m-0 text-muted">{seen ? words.notShown : words.notShownYet}</p>}
      </div>
      <div className="flex min-w-0 flex-col gap-3">
        <div className="flex items-start justify-between gap-2">
          <h2 className="m-0 min-w-0 text-body">{picture.name}</h2>
          <Button kind="quiet" className="px-2!" aria-label={words.remove(picture.name)} onClick={props.onRemove}>
            <span aria-hidden>×</span>
          </Button>
        </div>
        <div aria-live="polite" className="flex flex-col gap-3">
          {result === null && props.looking && <Looking preparing={props.preparing} />}
          {result === null && props.waits && <p className="m-0 text-muted">{words.waiting}</p>}
          {result?.kind === 'refused' && (
            <p className="m-0 text-failed">
              {words.refused} <ErrorText error={result.error} />
            </p>
          )}
          {seen && scores && <Classes label={words.likeliest} items={scores} />}
          {seen && <Found jobId={props.jobId} name={picture.name} seen={seen} least={props.least} />}
        </div>
      </div>
    </li>
  );
}

/** Says more the longer it takes. */
function Looking({ preparing }: { preparing: string | null }) {
  const words = useWords(tryWords);
  const now = useNow();
  const [began] = useState(now);
  const seconds = now - began;
  if (preparing !== null)
    return (
      <p className="m-0 text-muted">
        {words.preparing}
        <span lang="en" className="block text-small">
          {preparing}
        </span>
      </p>
    );
  return <p className="m-0 text-muted">{seconds < 2 ? words.looking : words.loading(seconds)}</p>;
}

/** How large the picture is as the browser turns it; `broken` where it can't show it. */
function useNaturalSize(url: string) {
  const [found, setFound] = useState<{ size: { width: number; height: number } | null; broken: boolean }>({
    size: null,
    broken: false,
  });
  useEffect(() => {
    const image = new Image();
    image.onload = () => setFound({ size: { width: image.naturalWidth, height: image.naturalHeight }, broken: false });
    image.onerror = () => setFound({ size: null, broken: true });
    image.src = url;
    return () => {
      image.onload = null;
      image.onerror = null;
    };
  }, [url]);
  return found;
}
