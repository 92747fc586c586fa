/** What was dropped or chosen, each with a name, before it is sent. */
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { datasetsQuery } from '~/api/queries';
import { useFormat } from '~/format/format';
import { useWords } from '~/i18n/words';
import { Button } from '~/ui/Button';
import { Dialog } from '~/ui/Dialog';
import { Field } from '~/ui/Field';
import { nextVersion } from '../grouping';
import { type Picked, suggestedName } from './picked';
import { uploads } from './queue';
import { recall } from './remembered';
import type { Source } from './shapes';
import { useMemberProjects } from './useMemberProjects';
import { uploadWords } from './words';

export default function UploadDialog({ picked, onClose }: { picked: Picked; onClose: () => void }) {
  const words = useWords(uploadWords);
  const projects = useMemberProjects();
  const [project, setProject] = useState(projects[0]?.id ?? 'default');
  const [names, setNames] = useState(() => picked.sources.map((one) => suggestedName(one.fileName)));
  const before = picked.sources.map((one) => recall(one.fingerprint, project));
  const complete = picked.sources.every((_, n) => before[n] !== undefined || names[n]?.trim());

  const start = () => {
    if (!complete) return;
    picked.sources.forEach((source, n) => {
      uploads.add(source, { name: before[n]?.name ?? (names[n] ?? '').trim(), project });
    });
    onClose();
  };
  return (
    <Dialog
      open
      onClose={onClose}
      title={picked.sources.length === 0 ? words.refusedTitle : words.dialogTitle(picked.sources.length)}
      actions={
        picked.sources.length === 0 ? (
          <Button onClick={onClose}>{words.close}</Button>
        ) : (
          <>
            <Button onClick={onClose}>{words.close}</Button>
            <Button kind="primary" type="submit" form="upload-names" disabled={!complete}>
              {words.start}
            </Button>
          </>
        )
      }
    >
      <form
        id="upload-names"
        className="flex flex-col gap-4"
        onSubmit={(event) => {
          event.preventDefault();
          start();
        }}
      >
        {picked.sources.map((source, n) => (
          <NameOf
            key={source.fingerprint}
            source={source}
            label={picked.sources.length === 1 ? words.name : words.nameOf(source.fileName)}
            project={project}
            name={names[n] ?? ''}
            goesOn={before[n]?.name}
            onChange={(name) => setNames((now) => now.with(n, name))}
          />
        ))}
        {projects.length > 1 && picked.sources.length > 0 && (
          <Field label={words.project}>
            {(wired) => (
              <select {...wired} className="field" value={project} onChange={(event) => setProject(event.target.value)}>
                {projects.map((one) => (
                  <option key={one.id} value={one.id}>
                    {one.name}
                  </option>
                ))}
              </select>
            )}
          </Field>
        )}
      </form>
      <Refused picked={picked} />
    </Dialog>
  );
}

function NameOf(props: {
  source: Source;
  label: string;
  project: string;
  name: string;
  goesOn: string | undefined;
  onChange: (name: string) => void;
}) {
  const { source, name, goesOn } = props;
  const words = useWords(uploadWords);
  const format = useFormat();
  const { data } = useQuery(datasetsQuery);
  const version = nextVersion(data?.items ?? [], name, props.project);
  const size = format.bytes(source.bytes);
  const what = source.files === null ? words.zipOf(size) : words.folderOf(format.count(source.files), size);
  const missing = name.trim() === '' && goesOn === undefined;
  return (
    <Field
      label={props.label}
      error={missing && words.nameMissing}
      help={
        <>
          {source.fileName}: {what}
          {goesOn !== undefined && <span className="block">{words.goesOn(goesOn)}</span>}
          {goesOn === undefined && version > 1 && <span className="block">{words.becomes(version)}</span>}
        </>
      }
    >
      {(wired) => (
        <input
          {...wired}
          className="field"
          maxLength={200}
          required
          autoComplete="off"
          readOnly={goesOn !== undefined}
          value={goesOn ?? name}
          onChange={(event) => props.onChange(event.target.value)}
        />
      )}
    </Field>
  );
}

function Refused({ picked }: { picked: Picked }) {
  const words = useWords(uploadWords);
  if (picked.refused.length === 0) return null;
  return (
    <div role="alert">
      <ul className="m-0 flex list-none flex-col gap-2 p-0">
        {picked.refused.map((one) => (
          <li key={`${one.fileName} ${one.why}`}>
            <span className="font-strong">{one.fileName}</span>
            <span className="block text-failed">{words[`why_${one.why}`]}</span>
          </li>
        ))}
      </ul>
    </div>
  );
}
