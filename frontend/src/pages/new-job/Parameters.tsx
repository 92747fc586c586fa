/** A trainer's parameters: the few that matter first, the others behind "more". */
import { useWords } from '~/i18n/words';
import { Button } from '~/ui/Button';
import { manifestOf, withTrainer } from './draft';
import { forget, recall } from './kept';
import { More } from './More';
import { ParamField } from './ParamField';
import { sameValue } from './params';
import type { Form } from './useNewJob';
import { newJobWords } from './words';

export function Parameters({ form }: { form: Form }) {
  const words = useWords(newJobWords);
  const manifest = manifestOf(form.offered, form.draft.framework);
  if (manifest === null) return null;
  const all = Object.entries(manifest.params);
  const core = all.filter(([, parameter]) => parameter.core);
  const [first, rest] =
    core.length > 0 ? [core, all.filter(([, parameter]) => !parameter.core)] : [all.slice(0, 4), all.slice(4)];
  const isChanged = ([name, parameter]: (typeof all)[number]) =>
    !sameValue(parameter, form.draft.params[name] ?? '', form.base.params[name] ?? '');
  return (
    <section aria-label={words.params} className="flex flex-col gap-3">
      <div className="flex flex-wrap items-center justify-between gap-2">
        <h2 className="m-0 text-body">{words.params}</h2>
        {all.some(isChanged) && form.offered.origin === null && <KeptValues form={form} />}
      </div>
      <div className="grid gap-3 wide:grid-cols-2 desk:grid-cols-3">
        {first.map(([name, parameter]) => (
          <ParamField key={name} {...{ form, name, parameter }} />
        ))}
      </div>
      {rest.length > 0 && (
        <More
          key={form.draft.framework}
          title={words.moreParams(rest.length)}
          fields={rest.map(([name]) => `params.${name}`)}
          form={form}
          open={rest.some(isChanged)}
        >
          <div className="grid gap-3 wide:grid-cols-2 desk:grid-cols-3">
            {rest.map(([name, parameter]) => (
              <ParamField key={name} {...{ form, name, parameter }} />
            ))}
          </div>
        </More>
      )}
    </section>
  );
}

/** Said where the last job's values were taken up. */
function KeptValues({ form }: { form: Form }) {
  const words = useWords(newJobWords);
  const { framework } = form.draft;
  if (recall(framework) === null) return null;
  const start = () => {
    forget(framework);
    form.become((now) => withTrainer(form.offered, now, framework, null));
  };
  return (
    <span className="flex flex-wrap items-center gap-2 text-muted text-small">
      {words.keptValues}
      <Button kind="quiet" onClick={start}>
        {words.useDefaults}
      </Button>
    </span>
  );
}
