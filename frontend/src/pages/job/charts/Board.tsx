/** The charts side by side, as the person arranged them. */
import { useState } from 'react';
import type { Job } from '~/api/client';
import { arranged, type Layout, type Mark, moved, PLAIN, readLayout, toggled, writeLayout } from '~/charts/layout';
import type { ChartSync } from '~/charts/sync';
import { useKept } from '~/charts/useKept';
import { useWords } from '~/i18n/words';
import { Card } from './Card';
import type { Best, Panel } from './panels';
import { Toolbar } from './Toolbar';
import { chartsWords } from './words';

const readShare = (text: string | null) => Math.min(0.99, Math.max(0, Number(text) || 0));

export function Board(props: {
  job: Job;
  panels: Panel[];
  best: Best | null;
  sync: { epoch: ChartSync; step: ChartSync };
}) {
  const { job, best, sync } = props;
  const words = useWords(chartsWords);
  const [layout, setLayout] = useKept<Layout>(`trainyard.charts.${job.framework}.${job.task}`, readLayout, writeLayout);
  const [smoothing, setSmoothing] = useKept('trainyard.charts.smoothing', readShare, String);
  const [dragged, setDragged] = useState<string | null>(null);
  const title = (panel: Panel) => {
    const name = panel.id.startsWith('lr') && panel.kind === 'rate' ? words.lr : panel.title;
    return panel.perStep ? words.perStep(name) : name;
  };
  const all = arranged(props.panels, layout);
  const shown = all.filter((panel) => !layout.hidden.includes(panel.id));
  const hidden = all.filter((panel) => layout.hidden.includes(panel.id));
  const ids = shown.map((panel) => panel.id);
  const move = (id: string, target: string | undefined) =>
    target !== undefined && setLayout(moved(layout, ids, id, target));

  return (
    <>
      <Toolbar
        job={job}
        best={best}
        smoothing={smoothing}
        onSmoothing={setSmoothing}
        sync={sync}
        hidden={hidden.map((panel) => ({ id: panel.id, title: title(panel) }))}
        onShow={(id) => setLayout(toggled(layout, 'hidden', id))}
        onOriginal={layout === PLAIN || writeLayout(layout) === writeLayout(PLAIN) ? null : () => setLayout(PLAIN)}
      />
      <div className="grid gap-x-6 gap-y-5 px-4 pb-6 wide:grid-cols-2 desk:grid-cols-3">
        {shown.map((panel, place) => (
          <Card
            key={panel.id}
            panel={panel}
            title={title(panel)}
            large={layout.large.includes(panel.id)}
            log={layout.log.includes(panel.id)}
            smoothing={smoothing}
            marker={panel.perStep ? null : (best?.step ?? null)}
            sync={panel.perStep ? sync.step : sync.epoch}
            onMark={(mark: Mark) => setLayout(toggled(layout, mark, panel.id))}
            onEarlier={place === 0 ? null : () => move(panel.id, ids[place - 1])}
            onLater={place === ids.length - 1 ? null : () => move(panel.id, ids[place + 1])}
            dragging={dragged}
            onDrag={setDragged}
            onDrop={(id) => move(id, panel.id)}
          />
        ))}
      </div>
    </>
  );
}
