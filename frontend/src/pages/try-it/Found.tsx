/** What was found in a picture in words, how long it took, and the JSON to copy. */
import { useFormat } from '~/format/format';
import { useWords } from '~/i18n/words';
import { classColour } from '~/pictures/boxes';
import { Copy } from '~/ui/Copy';
import { asJson, type Seen, scoresOf, sureEnough } from './findings';
import { tryWords } from './words';

const MOST_LISTED = 100;
const NO_BEST = tryWords.en.noBest; // the backend's one note, which is said in both languages

export function Found({ jobId, name, seen, least }: { jobId: string; name: string; seen: Seen; least: number }) {
  const words = useWords(tryWords);
  const format = useFormat();
  const json = asJson(jobId, name, seen, least);
  const { model, total } = seen.seconds;
  // a tenth of a second is a long time here
  const quick = (seconds: number) =>
    seconds < 1 ? `${Math.max(1, Math.round(seconds * 1000))} ms` : format.duration(seconds);
  return (
    <>
      {scoresOf(seen) === null && <Objects seen={seen} least={least} />}
      <div className="text-muted text-small">
        {seen.note && <p className="m-0 text-text">{seen.note === NO_BEST ? words.noBest : seen.note}</p>}
        <p className="m-0">{words.pixels(seen.width, seen.height)}</p>
        <p className="m-0">
          {model === null ? words.timeTotal(quick(total)) : words.times(quick(model), quick(total))}
        </p>
        {!seen.warm && <p className="m-0">{words.first}</p>}
      </div>
      <details className="min-w-0">
        <summary className="w-fit rounded-field text-muted hover:text-text">{words.showJson}</summary>
        <pre
          // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reachable
          tabIndex={0}
          className="m-0 mt-1 max-h-60 overflow-auto rounded-field bg-sunken p-2 font-mono text-small"
        >
          {json}
        </pre>
      </details>
      <div>
        <Copy text={json} name={words.json}>
          {words.json}
        </Copy>
      </div>
    </>
  );
}

function Objects({ seen, least }: { seen: Seen; least: number }) {
  const words = useWords(tryWords);
  const format = useFormat();
  const sure = sureEnough(seen.predictions, least);
  const surest = sureEnough(seen.predictions, 0)[0];
  if (surest === undefined) return <p className="m-0">{words.nothing}</p>;
  if (sure.length === 0) return <p className="m-0">{words.noneSure(format.share(surest.confidence))}</p>;
  return (
    <>
      <p className="m-0">{words.found(sure.length)}</p>
      <ul aria-label={words.boxes} className="m-0 flex max-h-60 list-none flex-col overflow-auto p-0">
        {sure.slice(0, MOST_LISTED).map((one, index) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: they have nothing else, and nothing inside that lasts
          <li key={index} className="flex items-center gap-2">
            <span
              aria-hidden
              className="size-2.5 shrink-0 rounded-full"
              style={{ background: classColour(one.label) }}
            />
            <span className="min-w-0 flex-1 truncate" title={one.label}>
              {one.label}
            </span>
            <span className="font-mono">{format.share(one.confidence)}</span>
          </li>
        ))}
      </ul>
    </>
  );
}
