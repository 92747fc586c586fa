/** Says that a field is other than where it started from, and puts it back. */
import { useWords } from '~/i18n/words';
import { newJobWords } from './words';

export function Modified({ name, to, onReset }: { name: string; to: string; onReset: () => void }) {
  const words = useWords(newJobWords);
  const reset = words.reset(name, to);
  return (
    <button
      type="button"
      title={reset}
      aria-label={reset}
      onClick={onReset}
      className="inline-flex items-center gap-1 whitespace-nowrap rounded-full border border-line bg-accent-soft px-2 text-small hover:border-line-strong"
    >
      {words.modified}
      <span aria-hidden>↺</span>
    </button>
  );
}
