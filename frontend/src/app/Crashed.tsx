/** What is shown in the place of a page that broke, can't be reached, or does not exist. */
import { ApiError } from '~/api/client';
import { useWords } from '~/i18n/words';
import { Button, buttonLook } from '~/ui/Button';
import { Empty, ErrorText } from '~/ui/Told';
import { appWords } from './words';

export function NotFound() {
  const words = useWords(appWords);
  return (
    <Empty
      title={words.notFound}
      action={
        <a href="/" className={buttonLook()}>
          {words.toJobs}
        </a>
      }
    />
  );
}

export function Crashed({ error, reset }: { error: unknown; reset?: () => void }) {
  const words = useWords(appWords);
  const passing = error instanceof ApiError;
  return (
    <Empty
      title={passing ? <ErrorText error={error} /> : words.crashed}
      action={<Button onClick={() => (passing && reset ? reset() : location.reload())}>{words.reload}</Button>}
    >
      {!passing && <ErrorText error={error} />}
    </Empty>
  );
}
