/** The dataset: those that fit can be chosen, the others say why they can't; samples where nothing fits. */
import { Link } from '@tanstack/react-router';
import { useId, useState } from 'react';
import type { Dataset } from '~/api/client';
import { useFormat } from '~/format/format';
import { useWords } from '~/i18n/words';
import { buttonLook } from '~/ui/Button';
import { Choice, Choices } from '~/ui/Choice';
import { taskWords } from '~/ui/taskWords';
import { datasetsFor, type Unfit } from './draft';
import { Modified } from './Modified';
import { Samples } from './Samples';
import { told } from './Trouble';
import type { Form } from './useNewJob';
import { newJobWords } from './words';

const MANY = 8;

export function DatasetChoice({ form }: { form: Form }) {
  const words = useWords(newJobWords);
  const [search, setSearch] = useState('');
  const { draft, offered } = form;
  const all = datasetsFor(offered, draft.projectId, draft.task);
  const found = all.filter(({ dataset }) => matches(dataset, search));
  return (
    <div className="flex flex-col gap-2">
      <Choices
        legend={words.dataset}
        error={told(form.trouble('dataset_id'))}
        extra={
          <span className="flex flex-wrap items-center gap-2">
            {form.base.datasetId !== '' && form.base.datasetId !== draft.datasetId && (
              <Modified
                name={words.dataset}
                to={form.base.datasetId}
                onReset={() => form.change({ datasetId: form.base.datasetId })}
              />
            )}
            {all.length > MANY && <Search value={search} onChange={setSearch} />}
          </span>
        }
        className="-m-1 grid max-h-80 gap-2 overflow-auto p-1 wide:grid-cols-2"
      >
        {found.map(({ dataset, why }) => (
          <Choice
            key={dataset.id}
            group="dataset_id"
            value={dataset.id}
            checked={dataset.id === draft.datasetId}
            onChoose={() => form.change({ datasetId: dataset.id })}
            title={dataset.name || dataset.id}
            mark={dataset.version > 1 ? `v${dataset.version}` : undefined}
            unfit={why && <Why why={why} />}
          >
            <Facts dataset={dataset} />
          </Choice>
        ))}
        {all.length > 0 && found.length === 0 && <p className="m-0 text-muted">{words.noMatch}</p>}
      </Choices>
      {!all.some((one) => one.why === null) && (
        <div className="panel flex flex-wrap items-center gap-3 p-3">
          <p className="m-0 mr-auto">{words.noDatasets}</p>
          <Link to="/datasets" className={buttonLook()}>
            {words.upload}
          </Link>
          <Samples form={form} />
        </div>
      )}
    </div>
  );
}

function matches(dataset: Dataset, search: string): boolean {
  const wanted = search.trim().toLowerCase();
  return `${dataset.name} ${dataset.id}`.toLowerCase().includes(wanted);
}

function Search({ value, onChange }: { value: string; onChange: (value: string) => void }) {
  const words = useWords(newJobWords);
  const id = useId();
  return (
    <input
      id={id}
      type="search"
      aria-label={words.searchDatasets}
      placeholder={words.searchDatasets}
      className="field max-w-56"
      value={value}
      onChange={(event) => onChange(event.target.value)}
    />
  );
}

function Why({ why }: { why: Unfit }) {
  const words = useWords(newJobWords);
  const tasks = useWords(taskWords);
  return why.kind === 'task'
    ? words.unfitTask(why.tasks.map((task) => tasks[task]).join(', '))
    : words.notReady(why.because.join(' '));
}

function Facts({ dataset }: { dataset: Dataset }) {
  const words = useWords(newJobWords);
  const format = useFormat();
  const { pictures, classes } = dataset.summary;
  const facts = [
    dataset.name === dataset.id ? '' : dataset.id,
    typeof pictures === 'number' ? words.pictures(format.count(pictures)) : '',
    Array.isArray(classes) ? words.classes(format.count(classes.length)) : '',
    dataset.check?.state === 'waiting' || dataset.check?.state === 'checking' ? words.checking : '',
  ];
  return <>{facts.filter(Boolean).join(' · ')}</>;
}
