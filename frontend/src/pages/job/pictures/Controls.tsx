/** Which epoch is shown, and what is drawn. */
import { useFormat } from '~/format/format';
import { useWords } from '~/i18n/words';
import { classColour } from '~/pictures/boxes';
import { Button } from '~/ui/Button';
import type { Shown } from './marks';
import type { Epoch } from './samples';
import { pictureWords } from './words';

export function EpochSlider({
  epochs,
  at,
  onMove,
}: {
  epochs: readonly Epoch[];
  at: number;
  onMove: (at: number) => void;
}) {
  const words = useWords(pictureWords);
  const format = useFormat();
  const last = epochs.length - 1;
  const told = words.epochOf(format.count(epochs[at]?.epoch ?? 0));
  return (
    <div className="flex min-w-0 flex-[1_1_22rem] items-center gap-2">
      <Button
        kind="quiet"
        aria-label={words.earlier}
        title={words.earlier}
        disabled={at === 0}
        onClick={() => onMove(at - 1)}
      >
        <span aria-hidden>◀</span>
      </Button>
      <input
        type="range"
        aria-label={words.epoch}
        aria-valuetext={told}
        min={0}
        max={Math.max(1, last)}
        disabled={last === 0}
        value={last === 0 ? 1 : at}
        onChange={(event) => onMove(Number(event.target.value))}
        className="h-8 w-full min-w-24 max-w-96 accent-accent"
      />
      <Button
        kind="quiet"
        aria-label={words.later}
        title={words.later}
        disabled={at === last}
        onClick={() => onMove(at + 1)}
      >
        <span aria-hidden>▶</span>
      </Button>
      <span className="min-w-20 whitespace-nowrap font-strong">
        {told}
        {at === last && <span className="block font-normal text-muted text-small">{words.newest}</span>}
      </span>
    </div>
  );
}

export function Layers({ shown, onShown }: { shown: Shown; onShown: (shown: Shown) => void }) {
  const words = useWords(pictureWords);
  const layers = [
    { name: 'truth', dashed: true },
    { name: 'found', dashed: false },
  ] as const;
  return (
    <div className="flex flex-wrap gap-3">
      {layers.map(({ name, dashed }) => (
        <label key={name} className="flex min-h-8 items-center gap-1.5 whitespace-nowrap">
          <input
            type="checkbox"
            className="size-4 accent-accent"
            checked={shown[name]}
            onChange={(event) => onShown({ ...shown, [name]: event.target.checked })}
          />
          <span aria-hidden className={`h-3 w-4 border-2 border-text ${dashed ? 'border-dashed' : ''}`} />
          {words[name]}
        </label>
      ))}
    </div>
  );
}

export function ClassToggles(props: {
  classes: readonly string[];
  hidden: ReadonlySet<string>;
  onHidden: (hidden: Set<string>) => void;
}) {
  const words = useWords(pictureWords);
  const { classes, hidden } = props;
  const toggle = (name: string) => {
    const next = new Set(hidden);
    if (!next.delete(name)) next.add(name);
    props.onHidden(next);
  };
  const chip = 'inline-flex max-w-48 items-center gap-1.5 rounded-full border px-2.5 py-0.5 text-small';
  return (
    <fieldset className="m-0 flex max-h-28 min-w-0 flex-wrap gap-1.5 overflow-auto border-0 p-0.5">
      <legend className="sr-only">{words.classes}</legend>
      <button
        type="button"
        aria-pressed={hidden.size === 0}
        className={`${chip} ${hidden.size === 0 ? 'border-line-strong bg-sunken' : 'border-line bg-bg text-muted'}`}
        onClick={() => props.onHidden(hidden.size === 0 ? new Set(classes) : new Set())}
      >
        {words.allClasses}
      </button>
      {classes.map((name) => (
        <button
          key={name}
          type="button"
          aria-pressed={!hidden.has(name)}
          title={name}
          className={`${chip} ${hidden.has(name) ? 'border-line bg-bg text-muted line-through' : 'border-line-strong bg-sunken'}`}
          onClick={() => toggle(name)}
        >
          <span aria-hidden className="size-2 shrink-0 rounded-full" style={{ background: classColour(name) }} />
          <span className="truncate">{name}</span>
        </button>
      ))}
    </fieldset>
  );
}
