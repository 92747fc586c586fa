/** How a dataset stands after its check: a shape and a colour each, progress while it is under way. */
import type { Dataset } from '~/api/client';
import { useFormat } from '~/format/format';
import { useLanguage } from '~/i18n/language';
import { useWords } from '~/i18n/words';
import { Progress } from '~/ui/Progress';
import { type Verdict, verdict } from './grouping';
import { refusalInWords } from './told';
import { datasetsWords } from './words';

export const VERDICT_COLOUR: Record<Verdict, string> = {
  waiting: 'text-queued',
  checking: 'text-running',
  unchecked: 'text-failed',
  not_ready: 'text-failed',
  errors: 'text-failed',
  warnings: 'text-queued',
  good: 'text-succeeded',
};

const SHAPE: Record<Verdict, string> = {
  waiting: 'M8 2a6 6 0 1 0 0 12A6 6 0 0 0 8 2M8 4.5V8l2.5 1.5',
  checking: 'M7 2.5a4.5 4.5 0 1 0 0 9 4.5 4.5 0 0 0 0-9M10.5 10.5 14 14',
  unchecked: 'M5.5 5.5a2.5 2.5 0 1 1 3.5 2.3c-.7.3-1 .8-1 1.7M8 12.7v.1',
  not_ready: 'M8 2a6 6 0 1 0 0 12A6 6 0 0 0 8 2M4 4l8 8',
  errors: 'm4 4 8 8M12 4l-8 8',
  warnings: 'M8 2.5 14 13H2zM8 6.5V9M8 11v.1',
  good: 'M3 8.5 6.5 12 13 4.5',
};

export function VerdictIcon({ of }: { of: Verdict }) {
  return (
    <svg
      aria-hidden
      viewBox="0 0 16 16"
      className={`size-4 shrink-0 ${VERDICT_COLOUR[of]}`}
      fill="none"
      stroke="currentColor"
      strokeWidth="1.8"
      strokeLinecap="round"
      strokeLinejoin="round"
    >
      <path d={SHAPE[of]} />
    </svg>
  );
}

/** The verdict in a word or two. */
export function useVerdictText(): (dataset: Pick<Dataset, 'check' | 'ready'>) => string {
  const words = useWords(datasetsWords);
  const format = useFormat();
  return (dataset) => {
    const one = verdict(dataset);
    if (one === 'checking') return words.checking(format.share(dataset.check.progress));
    if (one === 'errors') return words.errors(format.count(dataset.check.errors));
    if (one === 'warnings') return words.warnings(format.count(dataset.check.warnings));
    return words[one];
  };
}

/** In two lines that keep their height while a check goes on. */
export function VerdictMark({ dataset }: { dataset: Dataset }) {
  const words = useWords(datasetsWords);
  const language = useLanguage();
  const text = useVerdictText();
  const one = verdict(dataset);
  const reasons = dataset.not_ready_because.map((reason) => refusalInWords(reason, language));
  const [first] = reasons;
  return (
    <div className="flex min-w-0 flex-col">
      <span className={`inline-flex items-center gap-1.5 font-strong ${VERDICT_COLOUR[one]}`}>
        <VerdictIcon of={one} />
        <span className="truncate">{text(dataset)}</span>
      </span>
      <span className="flex h-4 items-center">
        {one === 'checking' && <Progress value={dataset.check.progress} label={words.checkProgress} />}
        {one === 'not_ready' && first !== undefined && (
          <span
            lang={first.lang}
            className="truncate text-muted text-small"
            title={reasons.map((reason) => reason.text).join('\n')}
          >
            {first.text} {reasons.length > 1 && words.andMore(reasons.length - 1)}
          </span>
        )}
      </span>
    </div>
  );
}
