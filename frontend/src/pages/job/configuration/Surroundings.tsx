/** What the trainer found around it when it started: system, packages, variables. */
import { useState } from 'react';
import type { Schemas } from '~/api/client';
import { useFormat } from '~/format/format';
import { useWords } from '~/i18n/words';
import { Search } from '~/ui/Search';
import { type Fact, Facts, Rows, Section } from './Facts';
import { filtered, toldOf } from './parameters';
import { configurationWords } from './words';

const NAMED = ['python', 'implementation', 'system', 'kernel', 'libc', 'cpus', 'gpus', 'torch', 'problem'] as const;

export function SurroundingsOf({ found }: { found: Schemas['SurroundingsOut'] }) {
  const words = useWords(configurationWords);
  const format = useFormat();
  const [text, setText] = useState('');
  if (found.environment === null)
    return (
      <Section title={words.surroundings}>
        <p className="m-0 p-3 text-muted">{words.notTold}</p>
      </Section>
    );
  const told = toldOf(found.environment);
  const named = (name: string) => NAMED.find((one) => one === name);
  const facts = told.facts.map(([name, value]): Fact => {
    const known = named(name);
    return [known === undefined ? name : words[known], value];
  });
  const groups = [
    { title: words.packages, all: told.packages, shown: filtered(told.packages, text) },
    { title: words.variables, all: told.variables, shown: filtered(told.variables, text) },
    {
      title: words.others,
      all: told.others,
      shown: filtered(
        told.others.map((name) => [name, ''] as const),
        text,
      ),
    },
  ].filter(({ all }) => all.length > 0);
  return (
    <Section title={words.surroundings}>
      <Facts facts={facts} />
      {told.cut && <p className="m-0 px-3 pb-2 text-queued">{words.cut}</p>}
      {groups.length > 0 && (
        <div className="border-line border-t p-2">
          <Search value={text} onChange={setText} label={words.filter} className="max-w-72" />
        </div>
      )}
      {groups.map(({ title, all, shown }) => (
        <details key={title('')} open={text !== ''} className="border-line border-t">
          <summary className="px-3 py-1.5 hover:bg-raised">
            {title(
              text === '' ? format.count(all.length) : `${format.count(shown.length)}/${format.count(all.length)}`,
            )}
          </summary>
          {shown.length === 0 ? (
            <p className="m-0 px-3 pb-2 text-muted">{words.nothingFits}</p>
          ) : (
            <Rows label={title(format.count(shown.length))} rows={shown} />
          )}
        </details>
      ))}
    </Section>
  );
}
