/** What a classifier takes a picture for: the likeliest classes as bars, each with its share. */
import { useFormat } from '~/format/format';
import { classColour, percent } from './boxes';

export function Classes({ items, label }: { items: readonly { label: string; share: number }[]; label: string }) {
  const format = useFormat();
  return (
    <ol aria-label={label} className="m-0 flex list-none flex-col gap-1.5 p-0">
      {items.map((one) => (
        <li key={one.label} className="grid grid-cols-[minmax(0,1fr)_auto] gap-x-2">
          <span className="truncate" title={one.label}>
            {one.label}
          </span>
          <span className="font-mono">{format.share(one.share)}</span>
          <span aria-hidden className="col-span-2 h-1.5 overflow-hidden rounded-full bg-sunken">
            <span
              className="block h-full rounded-full"
              style={{ width: percent(Math.min(1, Math.max(0, one.share))), background: classColour(one.label) }}
            />
          </span>
        </li>
      ))}
    </ol>
  );
}
