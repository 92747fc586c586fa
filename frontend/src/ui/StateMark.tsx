/** A job's state: a colour and a shape of its own each, so that nobody needs to tell colours apart. */
import type { State } from '~/api/client';
import { useWords } from '~/i18n/words';
import { stateWords } from './stateWords';

export type Shown = State | 'CANCELLING';

const COLOUR: Record<Shown, string> = {
  PENDING: 'text-pending',
  QUEUED: 'text-queued',
  RUNNING: 'text-running',
  SUCCEEDED: 'text-succeeded',
  FAILED: 'text-failed',
  CANCELLED: 'text-cancelled',
  CANCELLING: 'text-cancelled',
};

export function shownState(job: { state: State; cancelling: boolean }): Shown {
  return job.cancelling ? 'CANCELLING' : job.state;
}

/** The shape alone, with its name for those who don't see it. */
export function StateIcon({ state }: { state: Shown }) {
  const words = useWords(stateWords);
  return (
    <svg viewBox="0 0 16 16" className={`size-4 shrink-0 ${COLOUR[state]}`} role="img" aria-label={words[state]}>
      <Shape state={state} />
    </svg>
  );
}

function Shape({ state }: { state: Shown }) {
  const line = { fill: 'none', stroke: 'currentColor', strokeWidth: 2, strokeLinecap: 'round' as const };
  switch (state) {
    case 'PENDING':
      return <circle cx="8" cy="8" r="5" {...line} />;
    case 'QUEUED':
      return (
        <g {...line}>
          <circle cx="8" cy="8" r="6" />
          <path d="M8 4.5V8l2.5 1.5" />
        </g>
      );
    case 'RUNNING':
      return (
        <g {...line}>
          <circle cx="8" cy="8" r="6" opacity="0.25" />
          <path d="M8 2a6 6 0 0 1 6 6">
            <animateTransform
              attributeName="transform"
              type="rotate"
              from="0 8 8"
              to="360 8 8"
              dur="1.2s"
              repeatCount="indefinite"
            />
          </path>
        </g>
      );
    case 'SUCCEEDED':
      return <path d="M3 8.5 6.5 12 13 4.5" {...line} />;
    case 'FAILED':
      return <path d="m4 4 8 8M12 4l-8 8" {...line} />;
    case 'CANCELLED':
    case 'CANCELLING':
      return <path d="M3 8h10" {...line} strokeDasharray={state === 'CANCELLING' ? '1 4' : undefined} />;
  }
}

export function StateMark({ state }: { state: Shown }) {
  const words = useWords(stateWords);
  return (
    <span className={`inline-flex items-center gap-1.5 whitespace-nowrap font-strong ${COLOUR[state]}`}>
      <StateIcon state={state} />
      <span aria-hidden>{words[state]}</span>
    </span>
  );
}
