/** The tier and what a job asks of it. */
import type { Schemas } from '~/api/client';
import { useWords } from '~/i18n/words';
import { Choice, Choices } from '~/ui/Choice';
import { tierWords } from '~/ui/tierWords';
import { type Execution, manifestOf } from './draft';
import { Modified } from './Modified';
import { More } from './More';
import { TextField } from './TextField';
import { told } from './Trouble';
import type { Form } from './useNewJob';
import type { Wish } from './wishes';
import { newJobWords } from './words';

export type Status = Schemas['PlatformStatus'];

const TIERS: Execution[] = ['local', 'k8s', 'image'];

export function Machine({ form, status }: { form: Form; status: Status | undefined }) {
  const words = useWords(newJobWords);
  const tiers = useWords(tierWords);
  const { draft, base } = form;
  return (
    <section className="flex flex-col gap-3">
      <Choices
        legend={words.machine}
        error={told(form.trouble('execution'))}
        className="grid gap-2 wide:grid-cols-3"
        extra={
          draft.execution !== base.execution && (
            <Modified
              name={words.machine}
              to={tiers[base.execution]}
              onReset={() => form.change({ execution: base.execution })}
            />
          )
        }
      >
        {TIERS.map((tier) => (
          <Choice
            key={tier}
            group="execution"
            value={tier}
            checked={tier === draft.execution}
            onChoose={() => form.change({ execution: tier })}
            title={tiers[tier]}
            mark={tier === status?.execution ? words.usualTier : undefined}
          >
            {words[tier]}
          </Choice>
        ))}
      </Choices>
      {draft.execution === 'local' ? (
        <div className="grid gap-3 wide:grid-cols-2 desk:grid-cols-3">
          <WishField form={form} wish="gpus" help={status?.gpus === 0 ? words.gpusNone : words.gpusLocal} />
        </div>
      ) : (
        <ClusterWishes form={form} />
      )}
    </section>
  );
}

function ClusterWishes({ form }: { form: Form }) {
  const words = useWords(newJobWords);
  return (
    <>
      <div className="grid gap-3 wide:grid-cols-2 desk:grid-cols-3">
        <WishField form={form} wish="cpu" help={words.cpuHelp} />
        <WishField form={form} wish="memory" help={words.memoryHelp} />
        <WishField form={form} wish="gpus" help={words.gpusCluster} />
        <WishField form={form} wish="replicas" help={words.replicasHelp} />
        <WishField form={form} wish="queue" help={words.queueHelp} />
      </div>
      <More title={words.moreMachine} fields={FURTHER.map((wish) => `resources.${wish}`)} form={form}>
        <div className="grid gap-3 wide:grid-cols-2">
          {FURTHER.map((wish) => (
            <WishField
              key={wish}
              form={form}
              wish={wish}
              label={wish === 'image' ? words.imageField : words[wish]}
              help={words[`${wish}Help`]}
            />
          ))}
        </div>
      </More>
    </>
  );
}

const FURTHER = ['cpu_limit', 'shm', 'image', 'node_selector', 'tolerations'] as const;

function WishField({ form, wish, label, help }: { form: Form; wish: Wish; label?: string; help: string }) {
  const words = useWords(newJobWords);
  const declared = manifestOf(form.offered, form.draft.framework)?.resources;
  const usual = declared && wish in declared ? declared[wish as keyof typeof declared] : null;
  const onCluster = form.draft.execution !== 'local';
  return (
    <TextField
      form={form}
      field={wish === 'gpus' ? 'gpus' : `resources.${wish}`}
      label={label ?? words[wish]}
      help={help}
      placeholder={onCluster && usual !== null && usual !== undefined ? words.ofTrainer(String(usual)) : undefined}
      value={form.draft.wishes[wish]}
      base={form.base.wishes[wish]}
      onChange={(value) => form.become((now) => ({ ...now, wishes: { ...now.wishes, [wish]: value } }))}
    />
  );
}
