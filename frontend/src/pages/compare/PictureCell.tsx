import { useWords } from '~/i18n/words';
import type { Shown } from '~/pages/job/pictures/marks';
import { SamplePicture } from '~/pages/job/pictures/SamplePicture';
import type { Sample } from '~/pages/job/pictures/samples';
import { Verdict } from '~/pages/job/pictures/Verdict';
import { compareWords } from './words';

type Props = { sample: Sample | undefined; epoch: number; shown: Shown; detection: boolean };

export function PictureCell({ sample, epoch, shown, detection }: Props) {
  const words = useWords(compareWords);
  return (
    <div className="panel flex min-w-0 flex-col overflow-hidden">
      <div className="@container grid aspect-square w-full place-items-center bg-sunken">
        {sample === undefined ? (
          <p className="m-0 p-3 text-center text-muted text-small">{words.notAtEpoch}</p>
        ) : (
          <SamplePicture sample={sample} epoch={epoch} shown={shown} maxHeight="100cqw" />
        )}
      </div>
      {!detection && (
        <div className="min-h-7 border-line border-t px-2 py-1 text-small">
          {sample !== undefined && <Verdict sample={sample} />}
        </div>
      )}
    </div>
  );
}
