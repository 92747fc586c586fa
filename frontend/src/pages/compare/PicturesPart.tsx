/** The same pictures as each run saw them after the same epoch. */
import { useQueries } from '@tanstack/react-query';
import { useState } from 'react';
import { useFormat } from '~/format/format';
import { useWords } from '~/i18n/words';
import { type Samples, samplesQuery, useSamples } from '~/pages/job/pictures/samples';
import { Check } from '~/ui/Check';
import { Failure, Skeleton } from '~/ui/Told';
import { Dot } from './Dot';
import { epochShown, epochsOf } from './epochs';
import { PictureCell } from './PictureCell';
import { type Here, nameOf } from './runs';
import { Scroller } from './Scroller';
import { compareWords } from './words';

type Props = { runs: Here[]; epoch: number | null; onEpoch: (epoch: number | null) => void };

const NONE: Samples = { epochs: [] };
const HIDES_NOTHING: ReadonlySet<string> = new Set();

export default function PicturesPart({ runs, epoch: chosen, onEpoch }: Props) {
  const words = useWords(compareWords);
  const format = useFormat();
  const [truth, setTruth] = useState(true);
  const [found, setFound] = useState(true);
  const answers = useQueries({ queries: runs.map((run) => samplesQuery(run.id)) });
  const failed = answers.find((answer) => answer.isError);
  if (failed !== undefined) return <Failure error={failed.error} onRetry={() => void failed.refetch()} />;
  if (answers.some((answer) => answer.isPending)) return <Skeleton className="h-40 w-full" />;

  const samples = answers.map((answer) => (answer.data ?? NONE).epochs);
  const epochs = epochsOf(samples);
  const epoch = epochShown(samples, chosen);
  const live = runs.map((run) => <Live key={run.id} id={run.id} />);
  if (epoch === null)
    return (
      <>
        {live}
        <p className="m-0 text-muted">{words.noPictures}</p>
      </>
    );
  const items = samples.map((each) => each.find((one) => one.epoch === epoch)?.items ?? []);
  const indexes = [...new Set(items.flatMap((each) => each.map(({ index }) => index)))].sort((a, b) => a - b);
  const detects = items.map((each) => each.some((one) => [...one.truth, ...one.found].some((mark) => mark.box)));
  const detection = detects.includes(true);
  const columns = { gridTemplateColumns: `repeat(${runs.length}, minmax(132px, 220px))` };
  return (
    <>
      {live}
      <div className="flex flex-wrap items-center gap-x-4 gap-y-2 text-muted">
        <label className="flex items-center gap-2">
          <span className="min-w-20">{words.epoch(format.count(epoch))}</span>
          <input
            type="range"
            className="w-48 accent-(--accent)"
            min={0}
            max={epochs.length - 1}
            value={epochs.indexOf(epoch)}
            aria-valuetext={words.epoch(format.count(epoch))}
            disabled={epochs.length < 2}
            onChange={(event) => onEpoch(epochs[Number(event.target.value)] ?? null)}
          />
        </label>
        {detection && <Check label={words.truth} on={truth} onChange={setTruth} />}
        {detection && <Check label={words.found} on={found} onChange={setFound} />}
      </div>
      <Scroller label={words.pictures} className="max-h-[80dvh]">
        <div className="sticky top-0 z-10 grid w-max gap-3 bg-bg pb-2" style={columns}>
          {runs.map((run) => (
            <span key={run.id} className="flex min-w-0 items-center gap-2 font-strong" title={nameOf(run)}>
              <Dot place={run.colour} />
              <span className="truncate">{nameOf(run)}</span>
            </span>
          ))}
        </div>
        <ul className="m-0 flex list-none flex-col gap-3 p-0">
          {indexes.map((index) => (
            <li
              key={index}
              aria-label={words.sample(format.count(index + 1))}
              className="grid w-max gap-3"
              style={columns}
            >
              {runs.map((run, place) => (
                <PictureCell
                  key={run.id}
                  sample={items[place]?.find((one) => one.index === index)}
                  epoch={epoch}
                  shown={{ truth, found, hidden: HIDES_NOTHING }}
                  detection={detects[place] ?? false}
                />
              ))}
            </li>
          ))}
        </ul>
      </Scroller>
    </>
  );
}

/** Takes in what a run that goes on shows meanwhile. */
function Live({ id }: { id: string }) {
  useSamples(id);
  return null;
}
