/** What can be done with a log: search, follow, go to its ends, change how it looks, take it along. */
import type { ReactNode } from 'react';
import { useFormat } from '~/format/format';
import { useWords } from '~/i18n/words';
import { Button } from '~/ui/Button';
import { Menu, MenuCheck } from '~/ui/Menu';
import type { LogOptions } from './options';
import { logWords } from './words';

type Props = {
  search: ReactNode;
  options: LogOptions;
  onOptions: (changed: Partial<LogOptions>) => void;
  /** null: nothing comes any more. */
  follow: boolean | null;
  onFollow: (follow: boolean) => void;
  onEnd: (end: 'start' | 'end') => void;
  download: { done: number | null; begin: () => void; stop: () => void };
};

export function LogBar({ search, options, onOptions, follow, onFollow, onEnd, download }: Props) {
  const words = useWords(logWords);
  const format = useFormat();
  return (
    <div className="flex flex-wrap items-center gap-1 border-line border-b px-2 py-1.5">
      {search}
      <div className="ml-auto flex flex-wrap items-center gap-1">
        {follow !== null && (
          <Button aria-pressed={follow} title={words.followHelp} onClick={() => onFollow(!follow)}>
            <span aria-hidden className={follow ? 'text-running' : 'text-muted'}>
              {follow ? '●' : '○'}
            </span>
            {follow ? words.following : words.follow}
          </Button>
        )}
        <Button kind="quiet" aria-label={words.toStart} title={words.toStart} onClick={() => onEnd('start')}>
          <span aria-hidden>⤒</span>
        </Button>
        <Button kind="quiet" aria-label={words.toEnd} title={words.toEnd} onClick={() => onEnd('end')}>
          <span aria-hidden>⤓</span>
        </Button>
        <Menu label={words.view}>
          <MenuCheck checked={options.wrap} onChange={(wrap) => onOptions({ wrap })}>
            {words.wrap}
          </MenuCheck>
          <MenuCheck checked={options.trace} onChange={(trace) => onOptions({ trace })}>
            {words.trace}
          </MenuCheck>
          <MenuCheck checked={options.times} onChange={(times) => onOptions({ times })}>
            <span>
              {words.times}
              <span className="block max-w-64 text-muted text-small">{words.timesHelp}</span>
            </span>
          </MenuCheck>
        </Menu>
        {download.done === null ? (
          <Button onClick={download.begin}>{words.download}</Button>
        ) : (
          <Button onClick={download.stop} title={words.stop}>
            {words.downloading(format.bytes(download.done))}
            <span aria-hidden>✕</span>
          </Button>
        )}
      </div>
    </div>
  );
}
