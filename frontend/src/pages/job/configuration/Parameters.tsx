/** What the trainer was given, and which of it is not as usual. */
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import type { Job } from '~/api/client';
import { trainersQuery } from '~/api/queries';
import { useFormat } from '~/format/format';
import { useLanguage } from '~/i18n/language';
import { useWords } from '~/i18n/words';
import { Check } from '~/ui/Check';
import { Section } from './Facts';
import { parameterRows, type Scalar } from './parameters';
import { configurationWords } from './words';

export function Parameters({ job }: { job: Job }) {
  const words = useWords(configurationWords);
  const format = useFormat();
  const language = useLanguage();
  const { data } = useQuery(trainersQuery);
  const [changedOnly, setChangedOnly] = useState(false);
  const manifest = data?.items.find((one) => one.framework === job.framework)?.manifest ?? null;
  const rows = parameterRows(job, manifest);
  const changed = rows.filter((row) => row.changed);
  const shown = changedOnly ? changed : rows;

  return (
    <Section
      title={words.parameters}
      extra={
        manifest !== null &&
        rows.length > 0 && (
          <Check
            label={words.changedOnly(format.count(changed.length))}
            on={changedOnly}
            onChange={setChangedOnly}
            className="text-small"
          />
        )
      }
    >
      {shown.length === 0 ? (
        <p className="m-0 p-3 text-muted">{rows.length === 0 ? words.noParameters : words.allUsual}</p>
      ) : (
        <table className="w-full border-collapse">
          <thead className="sr-only">
            <tr>
              <th>{words.name}</th>
              <th>{words.value}</th>
            </tr>
          </thead>
          <tbody>
            {shown.map(({ name, value, usual, changed, help }) => (
              <tr key={name} className="border-line border-t align-top first:border-t-0">
                <th scope="row" className="w-1/2 px-3 py-1.5 text-left font-normal">
                  <span className="font-mono [overflow-wrap:anywhere]">{name}</span>
                  {help[language] !== '' && <span className="block text-muted text-small">{help[language]}</span>}
                </th>
                <td className="px-3 py-1.5">
                  <span className={`font-mono [overflow-wrap:anywhere] ${changed ? 'font-strong' : ''}`}>
                    {text(value)}
                  </span>
                  {usual !== undefined && (
                    <span className={`block text-small ${changed ? 'text-accent' : 'text-muted'}`}>
                      {changed ? words.usual(text(usual)) : words.isUsual}
                    </span>
                  )}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </Section>
  );
}

const text = (value: Scalar) => (value === '' ? '""' : String(value));
