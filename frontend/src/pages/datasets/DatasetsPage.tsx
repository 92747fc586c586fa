/** All datasets, and how new ones come: dropped, chosen, registered, or made as a sample. */
import { useQuery } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { lazy, Suspense, useRef, useState } from 'react';
import { datasetsQuery } from '~/api/queries';
import { useMay } from '~/api/session';
import { useWords } from '~/i18n/words';
import { Button } from '~/ui/Button';
import { Page } from '~/ui/Page';
import { Search } from '~/ui/Search';
import { Empty, ErrorText, Failure, Skeleton } from '~/ui/Told';
import { toast } from '~/ui/toast';
import { AddMenu } from './AddMenu';
import { DatasetTable } from './DatasetTable';
import { grouped, searched } from './grouping';
import { type Making, type Sample, useMakeSample, useSampleList } from './samples';
import { chosen, type Picked } from './upload/picked';
import { UploadList } from './upload/UploadList';
import { useDrop } from './upload/useDrop';
import { useMemberProjects } from './upload/useMemberProjects';
import { datasetsWords } from './words';

const UploadDialog = lazy(() => import('./upload/UploadDialog'));
const RegisterDialog = lazy(() => import('./RegisterDialog'));

export function DatasetsPage() {
  const words = useWords(datasetsWords);
  const mayAdd = useMay()('member');
  const found = useQuery(datasetsQuery);
  const { search = '' } = useSearch({ strict: false });
  const navigate = useNavigate();
  const setSearch = (text: string) => void navigate({ to: '.', search: text ? { search: text } : {}, replace: true });
  const projects = useMemberProjects();
  const samples = useSampleList(mayAdd);
  const { make, making, dismiss } = useMakeSample(projects[0]?.id ?? 'default', (_, sample) =>
    toast(words.sampleReady(sample.title)),
  );
  const adding = useAdding(mayAdd);

  const groups = grouped(found.data?.items ?? []);
  const shown = searched(groups, search);
  return (
    <Page
      title={words.title}
      actions={
        <>
          {groups.length > 0 && (
            <Search
              value={search}
              onChange={setSearch}
              label={words.search}
              placeholder={words.searchHint}
              className="wide:w-52!"
            />
          )}
          {mayAdd && (
            <AddMenu
              samples={samples}
              onZip={() => adding.choose('zip')}
              onFolder={() => adding.choose('folder')}
              onStore={() => adding.setRegistering(true)}
              onSample={make}
            />
          )}
        </>
      }
    >
      {adding.inputs}
      {adding.over && <DropHere />}
      {adding.looking && (
        <p role="status" className="panel m-4 mb-0 px-3 py-2">
          {words.looking}
        </p>
      )}
      {mayAdd && <UploadList onChoose={adding.choose} />}
      {making && <MakingSample making={making} onRetry={() => make(making.sample)} onDismiss={dismiss} />}
      {found.isPending && <Coming />}
      {found.isError && (
        <div className="p-4">
          <Failure error={found.error} onRetry={() => void found.refetch()} />
        </div>
      )}
      {found.data && groups.length === 0 && (
        <Nothing mayAdd={mayAdd} samples={samples} onSample={make} onZip={() => adding.choose('zip')} />
      )}
      {groups.length > 0 && shown.length === 0 && (
        <Empty title={words.none(search)} action={<Button onClick={() => setSearch('')}>{words.clearSearch}</Button>} />
      )}
      {shown.length > 0 && (
        <div className="pt-2">
          <DatasetTable groups={shown} />
        </div>
      )}
      <Suspense>
        {adding.picked && <UploadDialog picked={adding.picked} onClose={() => adding.setPicked(null)} />}
        {adding.registering && (
          <RegisterDialog
            projects={projects}
            projectLabel={words.project}
            onClose={() => adding.setRegistering(false)}
          />
        )}
      </Suspense>
    </Page>
  );
}

/** Dropping and choosing files, up to what is to be named. */
function useAdding(enabled: boolean) {
  const zip = useRef<HTMLInputElement>(null);
  const folder = useRef<HTMLInputElement>(null);
  const [picked, setPicked] = useState<Picked | null>(null);
  const [registering, setRegistering] = useState(false);
  const [looking, setLooking] = useState(false);
  const over = useDrop(enabled, (coming) => {
    setLooking(true);
    coming
      .then(
        (found) => found.sources.length + found.refused.length > 0 && setPicked(found),
        (error: unknown) => toast(<ErrorText error={error} />, { bad: true }),
      )
      .finally(() => setLooking(false));
  });
  const take = (input: HTMLInputElement) => {
    const files = [...(input.files ?? [])];
    input.value = ''; // choosing the same again is a choice, too
    if (files.length > 0) setPicked(chosen(files));
  };
  const inputs = (
    <>
      <input
        ref={zip}
        data-testid="choose-zip"
        type="file"
        accept=".zip"
        multiple
        hidden
        onChange={(event) => take(event.currentTarget)}
      />
      <input
        ref={(node) => {
          node?.setAttribute('webkitdirectory', ''); // React's types don't know it
          folder.current = node;
        }}
        data-testid="choose-folder"
        type="file"
        hidden
        onChange={(event) => take(event.currentTarget)}
      />
    </>
  );
  const choose = (kind: 'zip' | 'folder') => (kind === 'zip' ? zip : folder).current?.click();
  return { inputs, choose, over, looking, picked, setPicked, registering, setRegistering };
}

function DropHere() {
  const words = useWords(datasetsWords);
  return (
    <div className="pointer-events-none fixed inset-0 z-40 flex flex-col items-center justify-center gap-1 border-4 border-accent border-dashed bg-accent-soft">
      <span className="text-large">{words.dropHere}</span>
      <span className="text-muted">{words.dropHint}</span>
    </div>
  );
}

function MakingSample(props: { making: Making; onRetry: () => void; onDismiss: () => void }) {
  const words = useWords(datasetsWords);
  const { sample, said, error } = props.making;
  if (error)
    return (
      <div className="m-4 mb-0">
        <Failure error={error} onRetry={props.onRetry} />
      </div>
    );
  return (
    <div role="status" className="panel m-4 mb-0 px-3 py-2">
      {words.makingSample(sample.title)}
      {said !== '' && <div className="text-muted text-small">{said}</div>}
    </div>
  );
}

function Nothing(props: { mayAdd: boolean; samples: Sample[]; onSample: (sample: Sample) => void; onZip: () => void }) {
  const words = useWords(datasetsWords);
  if (!props.mayAdd) return <Empty title={words.empty}>{words.emptyViewer}</Empty>;
  return (
    <Empty
      title={words.empty}
      action={
        <div className="flex flex-col items-center gap-3">
          <Button kind="primary" onClick={props.onZip}>
            {words.uploadZip}
          </Button>
          {props.samples.length > 0 && (
            <>
              <span className="text-muted">{words.orSample}</span>
              <div className="flex flex-wrap justify-center gap-2">
                {props.samples.map((sample) => (
                  <Button key={sample.id} className="whitespace-normal!" onClick={() => props.onSample(sample)}>
                    {sample.title}
                  </Button>
                ))}
              </div>
            </>
          )}
        </div>
      }
    >
      {words.emptyText}
    </Empty>
  );
}

function Coming() {
  return (
    <div className="flex flex-col gap-3 p-4">
      {[1, 2, 3, 4, 5].map((row) => (
        <Skeleton key={row} className="h-10 w-full" />
      ))}
    </div>
  );
}
