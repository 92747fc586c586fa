/** A moment: how long ago, and exactly when on hover. */
import { useFormat } from '~/format/format';
import { useNow } from '~/format/now';

export function Ago({ at }: { at: number | null | undefined }) {
  const format = useFormat();
  const now = useNow();
  if (at === null || at === undefined) return <>–</>;
  return (
    <time dateTime={new Date(at * 1000).toISOString()} title={format.at(at)}>
      {format.ago(at, now)}
    </time>
  );
}

/** From `from` to `to`, or counting up while there is no `to`. */
export function Lasting({ from, to }: { from: number | null | undefined; to: number | null | undefined }) {
  const format = useFormat();
  const now = useNow();
  if (from === null || from === undefined) return <>–</>;
  return <>{format.duration(Math.max(0, (to ?? now) - from))}</>;
}
