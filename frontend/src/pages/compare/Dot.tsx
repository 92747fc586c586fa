import { runColour } from '~/ui/tokens';

/** A run's colour. */
export function Dot({ place }: { place: number }) {
  return <span aria-hidden className="size-2.5 shrink-0 rounded-full" style={{ background: runColour(place) }} />;
}
