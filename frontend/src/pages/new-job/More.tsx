/** Fields that most people leave alone. Opens by itself where one of them needs a look. */
import { type ReactNode, useEffect, useState } from 'react';
import type { Form } from './useNewJob';

export function More(props: { title: string; form: Form; fields: string[]; open?: boolean; children: ReactNode }) {
  const { form, fields } = props;
  const [open, setOpen] = useState(props.open ?? false);
  const wrong = fields.some((field) => form.trouble(field) !== null);
  useEffect(() => {
    if (wrong) setOpen(true);
  }, [wrong]);
  return (
    <details
      open={open || wrong}
      onToggle={(event) => setOpen(event.currentTarget.open)}
      className="border-line border-t pt-2"
    >
      <summary className="w-fit rounded-field py-1 text-muted hover:text-text">{props.title}</summary>
      <div className="pt-2">{props.children}</div>
    </details>
  );
}
