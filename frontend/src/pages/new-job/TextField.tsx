/** A plain field of the form: label, input, help, what is wrong, and whether it was changed. */
import { Field } from '~/ui/Field';
import { Modified } from './Modified';
import { told } from './Trouble';
import type { Form } from './useNewJob';

export function TextField(props: {
  form: Form;
  /** As the backend calls it. */
  field: string;
  label: string;
  help?: string;
  value: string;
  /** Where it started from. */
  base: string;
  onChange: (value: string) => void;
  placeholder?: string;
  rows?: number;
}) {
  const { form, field, label, value, base, onChange, rows } = props;
  const common = {
    value,
    placeholder: props.placeholder,
    className: 'field',
    onChange: (event: { target: { value: string } }) => onChange(event.target.value),
    onBlur: () => form.touch(field),
  };
  return (
    <Field
      label={label}
      help={props.help}
      error={told(form.trouble(field))}
      extra={value.trim() !== base.trim() && <Modified name={label} to={base} onReset={() => onChange(base)} />}
    >
      {(wired) =>
        rows ? <textarea {...wired} {...common} rows={rows} /> : <input {...wired} {...common} autoComplete="off" />
      }
    </Field>
  );
}
