/** Makes a dataset of what lies in the store already: step down to a folder or a zip, name it, register. */
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { api, ask, type Dataset } from '~/api/client';
import { useFormat } from '~/format/format';
import { useWords } from '~/i18n/words';
import { Button } from '~/ui/Button';
import { Dialog } from '~/ui/Dialog';
import { Field } from '~/ui/Field';
import { Failure, Skeleton } from '~/ui/Told';
import { toast } from '~/ui/toast';
import { registerWords } from './registerWords';
import { Told } from './upload/UploadRow';

const TOP = 'imports/';

const above = (prefix: string) => prefix.replace(/[^/]+\/?$/, '') || TOP;

export default function RegisterDialog(props: {
  projects: { id: string; name: string }[];
  projectLabel: string;
  onClose: () => void;
}) {
  const words = useWords(registerWords);
  const client = useQueryClient();
  const [prefix, setPrefix] = useState(TOP);
  const [name, setName] = useState('');
  const [project, setProject] = useState(props.projects[0]?.id ?? 'default');
  const task = useMutation({
    mutationFn: async (): Promise<{ dataset: Dataset; known: boolean }> => {
      const request = api.POST('/v1/datasets/register', { body: { prefix, name: name.trim(), project_id: project } });
      const dataset = await ask(request);
      return { dataset, known: (await request).response.status === 200 };
    },
    onSuccess: ({ dataset, known }) => {
      void client.invalidateQueries({ queryKey: ['datasets'] });
      toast(known ? words.known(dataset.name) : words.done(dataset.name));
      props.onClose();
    },
  });
  return (
    <Dialog
      open
      onClose={props.onClose}
      title={words.title}
      actions={
        <>
          <Button onClick={props.onClose}>{words.close}</Button>
          <Button kind="primary" disabled={prefix === TOP || task.isPending} onClick={() => task.mutate()}>
            {task.isPending ? words.registering : words.register}
          </Button>
        </>
      }
    >
      <p className="m-0 text-muted">{words.explain}</p>
      <Browse
        prefix={prefix}
        onStep={(to) => {
          setPrefix(to);
          task.reset();
        }}
      />
      <Field label={words.name} help={words.nameHelp}>
        {(wired) => (
          <input
            {...wired}
            className="field"
            maxLength={200}
            autoComplete="off"
            value={name}
            onChange={(event) => setName(event.target.value)}
          />
        )}
      </Field>
      {props.projects.length > 1 && (
        <Field label={props.projectLabel}>
          {(wired) => (
            <select {...wired} className="field" value={project} onChange={(event) => setProject(event.target.value)}>
              {props.projects.map((one) => (
                <option key={one.id} value={one.id}>
                  {one.name}
                </option>
              ))}
            </select>
          )}
        </Field>
      )}
      {task.isError && (
        <div role="alert" className="text-failed">
          <Told error={task.error} />
        </div>
      )}
    </Dialog>
  );
}

function Browse({ prefix, onStep }: { prefix: string; onStep: (prefix: string) => void }) {
  const words = useWords(registerWords);
  const format = useFormat();
  const isZip = !prefix.endsWith('/');
  const folder = isZip ? above(prefix) : prefix;
  const found = useQuery({
    queryKey: ['store', folder],
    queryFn: ({ signal }) => ask(api.GET('/v1/store/prefixes', { params: { query: { prefix: folder } }, signal })),
    staleTime: 5_000,
  });
  return (
    <div className="flex flex-col gap-2">
      <div className="flex items-center gap-2">
        <output aria-label={words.where} className="min-w-0 flex-1 font-mono">
          {prefix}
        </output>
        <Button disabled={prefix === TOP} onClick={() => onStep(above(prefix))}>
          {words.up}
        </Button>
      </div>
      {found.isPending && <Skeleton className="h-24 w-full" />}
      {found.isError && <Failure error={found.error} onRetry={() => void found.refetch()} />}
      {found.data && (
        <>
          <ul aria-label={words.folders} className="panel m-0 max-h-48 list-none overflow-auto p-1 empty:hidden">
            {found.data.prefixes.map((one) => (
              <li key={one}>
                <button
                  type="button"
                  aria-pressed={one === prefix}
                  onClick={() => onStep(one)}
                  className={`w-full rounded-field border-0 px-2 py-1 text-left font-mono hover:bg-sunken ${one === prefix ? 'bg-accent-soft' : 'bg-transparent'}`}
                >
                  {one.slice(folder.length)}
                </button>
              </li>
            ))}
          </ul>
          <p className="m-0 text-muted text-small">
            {prefix === TOP && found.data.prefixes.length === 0
              ? words.nothing
              : prefix === TOP
                ? words.choose
                : isZip
                  ? ''
                  : found.data.complete
                    ? words.pictures(format.count(found.data.pictures))
                    : words.atLeast(format.count(found.data.pictures))}
          </p>
        </>
      )}
    </div>
  );
}
