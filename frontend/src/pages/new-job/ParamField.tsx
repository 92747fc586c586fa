/** One parameter of a trainer: its input by its type, help, range, and whether it was changed. */
import { useLanguage } from '~/i18n/language';
import { useWords } from '~/i18n/words';
import { Field } from '~/ui/Field';
import { Modified } from './Modified';
import { type Parameter, sameValue, textOf } from './params';
import { told } from './Trouble';
import type { Form } from './useNewJob';
import { newJobWords } from './words';

export function ParamField({ form, name, parameter }: { form: Form; name: string; parameter: Parameter }) {
  const field = `params.${name}`;
  const text = form.draft.params[name] ?? '';
  const usual = form.base.params[name] ?? '';
  const set = (value: string) => form.become((now) => ({ ...now, params: { ...now.params, [name]: value } }));
  return (
    <Field
      label={<span className="font-mono">{name}</span>}
      help={<Help parameter={parameter} usual={form.usualParams[name] ?? ''} />}
      error={told(form.trouble(field))}
      extra={!sameValue(parameter, text, usual) && <Modified name={name} to={usual} onReset={() => set(usual)} />}
    >
      {(wired) => <Input {...{ wired, parameter, text, set }} onBlur={() => form.touch(field)} />}
    </Field>
  );
}

function Input(props: {
  wired: { id: string; 'aria-invalid': boolean | undefined; 'aria-describedby': string | undefined };
  parameter: Parameter;
  text: string;
  set: (value: string) => void;
  onBlur: () => void;
}) {
  const { wired, parameter, text, set, onBlur } = props;
  const choices = parameter.type === 'bool' ? [true, false] : (parameter.choices ?? null);
  if (choices === null)
    return (
      <input
        {...wired}
        className="field font-mono"
        inputMode={parameter.type === 'int' ? 'numeric' : parameter.type === 'float' ? 'decimal' : undefined}
        autoComplete="off"
        spellCheck={false}
        value={text}
        onChange={(event) => set(event.target.value)}
        onBlur={onBlur}
      />
    );
  const texts = choices.map(textOf);
  return (
    <select {...wired} className="field font-mono" value={text} onChange={(event) => set(event.target.value)}>
      {!texts.includes(text) && <option value={text}>{text}</option>}
      {texts.map((choice) => (
        <option key={choice} value={choice}>
          {choice}
        </option>
      ))}
    </select>
  );
}

function Help({ parameter, usual }: { parameter: Parameter; usual: string }) {
  const words = useWords(newJobWords);
  const korean = useLanguage() === 'ko';
  const range = rangeOf(parameter, words);
  const facts = [words[`type_${parameter.type}`], range, words.usually(usual)].filter(Boolean);
  const help = (korean && parameter.help_ko) || parameter.help;
  return (
    <>
      {help && <span className="block">{help}</span>}
      <span className="block">
        {facts.map((fact, index) => (
          <span key={fact} className="inline-block">
            {fact}
            {index < facts.length - 1 && <span aria-hidden>&nbsp;·&nbsp;</span>}
          </span>
        ))}
      </span>
    </>
  );
}

function rangeOf({ min, max, choices }: Parameter, words: (typeof newJobWords)['en']): string {
  if (choices) return '';
  const [from, to] = [min ?? null, max ?? null];
  if (from !== null && to !== null) return words.range(textOf(from), textOf(to));
  if (from !== null) return words.from(textOf(from));
  return to === null ? '' : words.upTo(textOf(to));
}
