/** Beside the form: starting it, what stands in the way, and the same as a command. */
import type { ReactNode } from 'react';
import { useWords } from '~/i18n/words';
import { Button } from '~/ui/Button';
import { Copy } from '~/ui/Copy';
import { Failure } from '~/ui/Told';
import { commandOf } from './command';
import type { Execution } from './draft';
import type { Form } from './useNewJob';
import { newJobWords } from './words';

export function Side({ form, usual }: { form: Form; usual: Execution | undefined }) {
  const words = useWords(newJobWords);
  const { refused } = form;
  const wrong = form.wrongs.size;
  return (
    <aside className="flex min-w-0 flex-col gap-3 self-start desk:sticky desk:top-4">
      {refused && refused.field === null && <Failure error={refused.error} />}
      <Button kind="primary" type="submit" aria-disabled={form.sending} className="min-h-10">
        {form.sending ? words.starting : words.start}
      </Button>
      <p role="status" className="m-0 text-failed text-small empty:hidden">
        {form.tries > 0 && wrong > 0 && words.needsFixing(wrong)}
      </p>
      <CommandLine form={form} usual={usual} />
    </aside>
  );
}

function CommandLine({ form, usual }: { form: Form; usual: Execution | undefined }): ReactNode {
  const words = useWords(newJobWords);
  const { text, without } = commandOf(form.offered, form.draft, usual);
  return (
    <section aria-label={words.command} className="panel min-w-0">
      <div className="flex items-center justify-between gap-2 border-line border-b px-3 py-1.5">
        <h2 className="m-0 text-muted text-small">{words.command}</h2>
        <Copy text={text} name={words.commandName} />
      </div>
      <pre
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reachable
        tabIndex={0}
        data-testid="command"
        className="m-0 max-h-72 overflow-auto whitespace-pre p-3 font-mono text-small"
      >
        {text}
      </pre>
      {without.length > 0 && (
        <p className="m-0 border-line border-t px-3 py-1.5 text-muted text-small">
          {words.without(without.map((what) => words[`without_${what}`]).join(', '))}
        </p>
      )}
    </section>
  );
}
