/** Fine, attention or broken: a colour, a shape and a word. */
export type Verdict = 'ok' | 'warn' | 'fail';

const LOOK: Record<Verdict, { colour: string; shape: string }> = {
  ok: { colour: 'text-succeeded', shape: '✓' },
  warn: { colour: 'text-queued', shape: '!' },
  fail: { colour: 'text-failed', shape: '✕' },
};

export function Mark({ verdict, text }: { verdict: Verdict; text: string }) {
  const { colour, shape } = LOOK[verdict];
  return (
    <span className={`inline-flex shrink-0 items-center gap-1.5 whitespace-nowrap font-strong ${colour}`}>
      <span aria-hidden>{shape}</span>
      {text}
    </span>
  );
}
