/** A sample with what was found and what is true drawn on it, in the middle of the room it has. */
import { useFormat } from '~/format/format';
import { useWords } from '~/i18n/words';
import { Overlay } from '~/pictures/Overlay';
import { boxesOf, type Shown } from './marks';
import type { Sample } from './samples';
import { useSize } from './size';
import { pictureWords } from './words';

export function SamplePicture(props: {
  sample: Sample;
  epoch: number;
  shown: Shown;
  maxHeight: string;
  labels?: boolean;
}) {
  const words = useWords(pictureWords);
  const format = useFormat();
  const { sample, shown } = props;
  // without the plain picture there is only the one that its trainer drew on
  const src = sample.plain_url ?? sample.url;
  const size = useSize(src);
  const alt = words.alt(format.count(sample.index + 1), format.count(props.epoch));
  if (size === 'lost') return <p className="m-0 p-3 text-center text-muted text-small">{words.lost}</p>;
  if (size === 'asked') return null;
  return (
    <Overlay
      src={src}
      {...size}
      unit="share"
      alt={alt}
      boxes={sample.plain_url === null ? [] : boxesOf(sample, shown)}
      labels={props.labels ?? false}
      maxHeight={props.maxHeight}
    />
  );
}
