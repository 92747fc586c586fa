/** Says that the backend is away, after two seconds of it, and goes by itself. */
import { useNow } from '~/format/now';
import { useWords } from '~/i18n/words';
import { useConnection } from '~/live/live';
import { appWords } from './words';

const AFTER_SECONDS = 2;

export function OfflineBar() {
  const connection = useConnection();
  return connection.state === 'away' ? <Away since={connection.since} /> : null;
}

function Away({ since }: { since: number }) {
  const words = useWords(appWords);
  const seconds = Math.floor(useNow() - since / 1000);
  if (seconds < AFTER_SECONDS) return null;
  return (
    // over the page, not above it: nothing moves when it comes and goes
    <div
      role="status"
      className="absolute inset-x-2 bottom-2 z-30 rounded-field border border-queued bg-warning-soft px-4 py-2 shadow-float"
    >
      {words.away(seconds)}
    </div>
  );
}
