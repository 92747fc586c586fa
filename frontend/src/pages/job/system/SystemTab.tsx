/** What the run uses of its machine: CPU, memory, disk and GPUs over time. */
import { useMemo } from 'react';
import type { Job } from '~/api/client';
import { Chart } from '~/charts/Chart';
import type { Line } from '~/charts/lines';
import { useChartSync } from '~/charts/sync';
import { bytes, useFormat } from '~/format/format';
import { useWords } from '~/i18n/words';
import { Empty, Failure, Skeleton } from '~/ui/Told';
import { gpusIn, hasValues, limitLine, lineFor, type Usage } from './usage';
import { useUsage } from './useUsage';
import { systemWords } from './words';

const ENDED = new Set(['SUCCEEDED', 'FAILED', 'CANCELLED']);
const GRID = 'grid gap-x-6 gap-y-4 desk:grid-cols-2';

export function SystemTab({ job }: { job: Job }) {
  const words = useWords(systemWords);
  const format = useFormat();
  const ended = ENDED.has(job.state);
  const { data, error, refetch } = useUsage(job.id, !ended);
  if (data === undefined)
    return (
      <div className="p-4">
        {error === null ? (
          <div className={GRID}>
            {[0, 1, 2].map((n) => (
              <Skeleton key={n} className="h-60 w-full" />
            ))}
          </div>
        ) : (
          <Failure error={error} onRetry={() => void refetch()} />
        )}
      </div>
    );
  if (data.at.length === 0)
    return (
      <Empty title={ended ? words.none : words.waiting}>
        {ended ? words.noneHelp : words.waitingHelp}
        {ended && data.note !== '' && (
          <span lang="en" className="block pt-2">
            {data.note}
          </span>
        )}
      </Empty>
    );
  return (
    <section aria-label={words.system} className="flex flex-col gap-4 p-4">
      <p className="m-0 text-muted">{words.note(format.duration(data.every))}</p>
      <Charts usage={data} />
    </section>
  );
}

type Curve = { key: string; title: string; lines: Line[]; yText: (value: number) => string };

function Charts({ usage }: { usage: Usage }) {
  const words = useWords(systemWords);
  const format = useFormat();
  const sync = useChartSync();
  // the same functions from one look to the next, or each would draw its chart anew
  const { percent, rate } = useMemo(
    () => ({
      percent: (value: number) => words.percent(format.metric(Math.round(value))),
      rate: (value: number) => words.rate(bytes(value)),
    }),
    [words, format],
  );
  const curves = useMemo((): Curve[] => {
    const { cpus, memory_bytes: most } = usage.limits;
    const limited = (line: Line, limit: number | null) => {
      const above = limitLine(usage, line, limit, words.limit);
      return above === null ? [line] : [line, above];
    };
    const used = (name: string, colour: string) => lineFor(usage, { name, label: words.used, colour });
    const gpus = gpusIn(usage).flatMap((gpu): Curve[] => [
      {
        key: `gpu${gpu}_percent`,
        title: words.gpu(String(gpu)),
        lines: [used(`gpu${gpu}_percent`, 'run-3')],
        yText: percent,
      },
      {
        key: `gpu${gpu}_memory_bytes`,
        title: words.gpuMemory(String(gpu)),
        lines: [used(`gpu${gpu}_memory_bytes`, 'run-6')],
        yText: bytes,
      },
    ]);
    const all: Curve[] = [
      {
        key: 'cpu_percent',
        title: cpus === null ? words.cpu : words.cpuOf(format.metric(cpus)),
        lines: limited(used('cpu_percent', 'run-0'), cpus === null ? null : cpus * 100),
        yText: percent,
      },
      {
        key: 'memory_bytes',
        title: most === null ? words.memory : words.memoryOf(bytes(most)),
        lines: limited(used('memory_bytes', 'run-1'), most),
        yText: bytes,
      },
      {
        key: 'disk_read_bytes_s',
        title: words.disk,
        lines: [
          lineFor(usage, { name: 'disk_read_bytes_s', label: words.read, colour: 'run-2' }),
          lineFor(usage, { name: 'disk_written_bytes_s', label: words.written, colour: 'run-4' }),
        ],
        yText: rate,
      },
      ...gpus,
    ];
    return all.filter(({ lines }) => lines.some(({ id }) => hasValues(usage, id)));
  }, [usage, words, format, percent, rate]);

  return (
    <div className={GRID}>
      {curves.map(({ key, title, lines, yText }) => (
        <Chart key={key} title={title} lines={lines} sync={sync} x="time" yText={yText} />
      ))}
    </div>
  );
}
