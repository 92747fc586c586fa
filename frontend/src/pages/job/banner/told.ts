/** What the banner says of an explanation, in a language. */
import type { Job, Schemas } from '~/api/client';
import type { Language } from '~/i18n/language';
import { reasonWords } from '~/ui/reasonWords';
import { causeTitles, koreanCauses } from './causeWords';
import { koreanReasons } from './reasonTold';
import { bannerWords } from './words';

type Explanation = Schemas['ExplanationOut'];
type Said = Pick<Explanation, 'cause' | 'reason' | 'what' | 'advice' | 'parameter'>;

/** `original`: the backend's own words, where ours come first. */
export type Told = { title: string; what: string; advice: string; original: string };

export function tell(explained: Said, job: Pick<Job, 'params'>, language: Language): Told {
  const { cause, reason } = explained;
  const words = bannerWords[language];
  const title = causeTitles[language][cause] || (reason === null ? words.failed : reasonWords[language][reason]);
  if (language === 'en') return { title, what: explained.what, advice: explained.advice, original: '' };
  const ours = cause === '' && reason !== null ? koreanReasons[reason] : koreanCauses[cause];
  const name = explained.parameter;
  const what = cause === 'parameter' && name !== null ? words.parameter(name, String(job.params[name])) : ours.what;
  return { title, what, advice: ours.advice, original: [explained.what, explained.advice].filter(Boolean).join(' ') };
}

/** batch_size 8, image_size 480 */
export function settingsOf(params: Schemas['RemedyOut']['params']): string {
  return Object.entries(params)
    .map(([name, value]) => `${name} ${value}`)
    .join(', ');
}

/** Whether there is something to explain: it failed, or it learned nothing of use. */
export function wantsWords(job: Pick<Job, 'state' | 'metrics'>): boolean {
  if (job.state === 'FAILED') return true;
  if (job.state !== 'SUCCEEDED') return false;
  return Object.entries(job.metrics ?? {}).some(([name, { last }]) => /loss/i.test(name) && typeof last === 'string');
}
