/** Sorting where there is no head of columns to click on. */
import { useWords } from '~/i18n/words';
import { Field } from '~/ui/Field';
import { type Chosen, descends, SORTS } from './chosen';
import { jobsWords } from './words';

export function SortFields({ chosen, onChange }: { chosen: Chosen; onChange: (chosen: Chosen) => void }) {
  const words = useWords(jobsWords);
  const named = { ...words, framework: words.trainer };
  const sorts = SORTS.filter((sort) => sort !== 'metric' || chosen.metric !== '');
  return (
    <div className="flex w-full items-end gap-2">
      <div className="flex-1">
        <Field label={words.sort}>
          {(wired) => (
            <select
              {...wired}
              className="field"
              value={chosen.sort}
              onChange={(event) => {
                const sort = SORTS.find((one) => one === event.target.value) ?? 'created';
                onChange({ ...chosen, sort, descending: descends(sort) });
              }}
            >
              {sorts.map((sort) => (
                <option key={sort} value={sort}>
                  {named[sort]}
                </option>
              ))}
            </select>
          )}
        </Field>
      </div>
      <label className="flex min-h-8 items-center gap-2">
        <input
          type="checkbox"
          className="size-4 accent-(--accent)"
          checked={chosen.descending}
          onChange={(event) => onChange({ ...chosen, descending: event.target.checked })}
        />
        {words.descending}
      </label>
    </div>
  );
}
