/** What is wrong with a field, in the language on show. */
import { useWords } from '~/i18n/words';
import { ErrorText } from '~/ui/Told';
import type { Trouble } from './useNewJob';
import { wrongWords } from './wrong';

export function TroubleText({ trouble }: { trouble: Trouble }) {
  const words = useWords(wrongWords);
  return trouble.kind === 'wrong' ? trouble.wrong(words) : <ErrorText error={trouble.error} />;
}

/** For places that take a message or nothing. */
export function told(trouble: Trouble | null) {
  return trouble === null ? undefined : <TroubleText trouble={trouble} />;
}
