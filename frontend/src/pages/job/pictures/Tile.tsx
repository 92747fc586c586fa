/** A sample in the grid. */
import { useFormat } from '~/format/format';
import { useWords } from '~/i18n/words';
import type { Shown } from './marks';
import { SamplePicture } from './SamplePicture';
import type { Sample } from './samples';
import { Verdict } from './Verdict';
import { pictureWords } from './words';

export function Tile(props: { sample: Sample; epoch: number; shown: Shown; detection: boolean; onOpen: () => void }) {
  const words = useWords(pictureWords);
  const format = useFormat();
  const { sample } = props;
  return (
    <li className="panel flex min-w-0 flex-col overflow-hidden">
      <button
        type="button"
        title={words.open(format.count(sample.index + 1))}
        className="@container grid aspect-square w-full place-items-center border-0 bg-sunken p-0 focus-visible:outline-offset-[-2px]"
        onClick={props.onOpen}
      >
        <SamplePicture sample={sample} epoch={props.epoch} shown={props.shown} maxHeight="100cqw" />
      </button>
      <div className={`border-line border-t px-2 py-1 text-small ${props.detection ? 'min-h-7' : 'min-h-10'}`}>
        {props.detection ? (
          <span className="text-muted">
            {words.counts(format.count(sample.found.length), format.count(sample.truth.length))}
          </span>
        ) : (
          <Verdict sample={sample} />
        )}
      </div>
    </li>
  );
}
