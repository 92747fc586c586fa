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
    <div role="status" className="border-line border-b bg-warning-soft px-4 py-1.5">
      {words.away(seconds)}
    </div>
  );
}
