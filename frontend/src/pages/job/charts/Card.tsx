/** One chart of the page with what can be done with it: enlarge, log scale, move, hide. */
import { Chart } from '~/charts/Chart';
import type { Mark } from '~/charts/layout';
import type { ChartSync } from '~/charts/sync';
import { useWords } from '~/i18n/words';
import { Menu, MenuCheck, MenuItem } from '~/ui/Menu';
import type { Panel } from './panels';
import { chartsWords } from './words';

const HEIGHT = 190;
const LARGE = 380;

export function Card(props: {
  panel: Panel;
  title: string;
  large: boolean;
  log: boolean;
  smoothing: number;
  marker: number | null;
  sync: ChartSync;
  onMark: (mark: Mark) => void;
  onEarlier: (() => void) | null;
  onLater: (() => void) | null;
  dragging: string | null;
  onDrag: (id: string | null) => void;
  onDrop: (id: string) => void;
}) {
  const words = useWords(chartsWords);
  const { panel, title, dragging } = props;
  const over = dragging !== null && dragging !== panel.id;
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: something dragged can be let go here; the menu does the same by keyboard
    <div
      className={`min-w-0 rounded-field ${props.large ? 'col-span-full' : ''} ${over ? 'outline outline-dashed outline-line-strong outline-offset-4' : ''}`}
      onDragOver={(event) => over && event.preventDefault()}
      onDrop={(event) => {
        event.preventDefault();
        if (dragging !== null) props.onDrop(dragging);
        props.onDrag(null);
      }}
    >
      <Chart
        title={title}
        lines={panel.lines}
        sync={props.sync}
        x={panel.perStep ? 'step' : 'epoch'}
        height={props.large ? LARGE : HEIGHT}
        log={props.log}
        smoothing={props.smoothing}
        marker={props.marker}
        actions={
          <>
            {/* by mouse; the menu beside it does the same by keyboard */}
            <span
              draggable
              title={words.drag(title)}
              aria-hidden
              className="cursor-grab px-1.5 text-muted"
              onDragStart={(event) => {
                event.dataTransfer.effectAllowed = 'move';
                event.dataTransfer.setData('text/plain', panel.id);
                props.onDrag(panel.id);
              }}
              onDragEnd={() => props.onDrag(null)}
            >
              ⠿
            </span>
            <Menu quiet label={<span aria-hidden>⋯</span>} name={words.options(title)}>
              <MenuCheck checked={props.large} onChange={() => props.onMark('large')}>
                {words.larger}
              </MenuCheck>
              <MenuCheck checked={props.log} onChange={() => props.onMark('log')}>
                {words.log}
              </MenuCheck>
              <MenuItem disabled={props.onEarlier === null} onClick={() => props.onEarlier?.()}>
                {words.earlier}
              </MenuItem>
              <MenuItem disabled={props.onLater === null} onClick={() => props.onLater?.()}>
                {words.later}
              </MenuItem>
              <MenuItem onClick={() => props.onMark('hidden')}>{words.hide}</MenuItem>
            </Menu>
          </>
        }
      />
    </div>
  );
}
