/** What a run was made of: trainer, data, machine, and the ids to ask others about. */
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import type { Job, Schemas } from '~/api/client';
import { datasetsQuery } from '~/api/queries';
import { useFormat } from '~/format/format';
import { useWords } from '~/i18n/words';
import { Copy } from '~/ui/Copy';
import { taskWords } from '~/ui/taskWords';
import { tierWords } from '~/ui/tierWords';
import { type Fact, Facts, Section } from './Facts';
import { wishes } from './parameters';
import { configurationWords } from './words';

const LINK = 'underline decoration-line-strong underline-offset-2 hover:decoration-current';

type Surroundings = Schemas['SurroundingsOut'] | undefined;

export function Run({ job, surroundings }: { job: Job; surroundings: Surroundings }) {
  const words = useWords(configurationWords);
  const tiers = useWords(tierWords);
  const tasks = useWords(taskWords);
  const format = useFormat();
  const facts: Fact[] = [
    [words.trainer, job.framework],
    [words.model, job.model],
    [words.task, tasks[job.task]],
    [words.tier, tiers[job.execution]],
    [words.script, job.script && <Mono text={job.script} />],
    [words.dataset, <DatasetFact key="dataset" job={job} ran={surroundings?.dataset_sha256 ?? null} />],
    [words.image, job.image && <CopyId name={words.image} text={job.image} />],
    [words.gpus, job.gpus === null ? words.gpusAuto : format.count(job.gpus)],
    [words.attempt, format.count(job.attempt)],
    [words.resumedFrom, job.resume_from && <Mono text={job.resume_from} />],
    [words.parent, job.parent_id && <JobLink id={job.parent_id} />],
    [words.keepEpochs, job.keep_epochs > 0 ? words.keepEpochsOf(format.count(job.keep_epochs)) : null],
    [words.priority, job.priority === 0 ? null : format.count(job.priority)],
    [words.by, job.created_by],
    [words.tags, job.tags.join(', ')],
    [words.notes, job.notes && <span className="whitespace-pre-wrap">{job.notes}</span>],
  ];
  const asked = wishes(job.resources);
  return (
    <>
      <Section title={words.run}>
        <Facts facts={facts} />
      </Section>
      {asked.length > 0 && (
        <Section title={words.asked}>
          <Facts facts={asked.map(([name, value]) => [words[name], <Mono key={name} text={value} />])} />
        </Section>
      )}
      <Ids job={job} surroundings={surroundings} />
    </>
  );
}

function Ids({ job, surroundings }: { job: Job; surroundings: Surroundings }) {
  const words = useWords(configurationWords);
  const ids: [string, string | null | undefined][] = [
    [words.job, job.id],
    [words.trace, job.trace_id],
    [words.project, job.project_id],
    [words.mlflowRun, job.mlflow_run_id],
    [words.datasetContent, surroundings?.dataset_sha256],
    [words.code, surroundings?.code_hash ?? job.code_hash],
  ];
  return (
    <Section title={words.ids}>
      <Facts facts={ids.map(([name, id]) => [name, id && <CopyId name={name} text={id} />])} />
    </Section>
  );
}

function DatasetFact({ job, ran }: { job: Job; ran: string | null }) {
  const words = useWords(configurationWords);
  const format = useFormat();
  const { data } = useQuery(datasetsQuery);
  if (job.dataset_id === null) return <span className="text-muted">{words.noDataset}</span>;
  const known = data?.items.find((one) => one.id === job.dataset_id);
  return (
    <>
      <Link to="/datasets/$datasetId" params={{ datasetId: job.dataset_id }} className={LINK}>
        {known?.name ?? job.dataset_id}
      </Link>
      {known?.version !== undefined && (
        <span className="pl-2 text-muted">{words.datasetVersion(format.count(known.version))}</span>
      )}
      {known !== undefined && ran !== null && known.sha256 !== ran && (
        <span className="block text-queued">{words.datasetChanged}</span>
      )}
    </>
  );
}

function JobLink({ id }: { id: string }) {
  return (
    <Link to="/jobs/$jobId" params={{ jobId: id }} className={`font-mono ${LINK}`}>
      {id}
    </Link>
  );
}

const Mono = ({ text }: { text: string }) => <span className="font-mono [overflow-wrap:anywhere]">{text}</span>;

function CopyId({ name, text }: { name: string; text: string }) {
  return (
    <span className="flex min-w-0 items-center gap-1">
      <span className="min-w-0 truncate font-mono" title={text}>
        {text}
      </span>
      <Copy text={text} name={name} />
    </span>
  );
}
