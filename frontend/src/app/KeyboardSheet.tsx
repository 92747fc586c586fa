import { useWords } from '~/i18n/words';
import { Button } from '~/ui/Button';
import { Dialog } from '~/ui/Dialog';
import { appWords } from './words';

const KEYS = [
  ['/', 'key_search'],
  ['n', 'key_new'],
  ['j  k', 'key_move'],
  ['Enter', 'key_open'],
  ['x', 'key_select'],
  ['c', 'key_compare'],
  ['.', 'key_follow'],
  ['?', 'key_help'],
  ['Esc', 'key_close'],
] as const;

export default function KeyboardSheet({ onClose }: { onClose: () => void }) {
  const words = useWords(appWords);
  return (
    <Dialog open onClose={onClose} title={words.keys} actions={<Button onClick={onClose}>{words.close}</Button>}>
      <dl className="m-0 grid grid-cols-[5rem_1fr] gap-y-1.5">
        {KEYS.map(([key, name]) => (
          <div key={key} className="contents">
            <dt>
              <kbd className="rounded-field border border-line bg-raised px-1.5 font-mono">{key}</kbd>
            </dt>
            <dd className="m-0">{words[name]}</dd>
          </div>
        ))}
      </dl>
    </Dialog>
  );
}
