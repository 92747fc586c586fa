/** What is being uploaded, and what stopped half way before a reload. */
import { useState } from 'react';
import { useFormat } from '~/format/format';
import { useWords } from '~/i18n/words';
import { Button } from '~/ui/Button';
import { useUploads } from './queue';
import { forget, interrupted, type Remembered } from './remembered';
import { transport } from './transport';
import { UploadRow } from './UploadRow';
import { uploadWords } from './words';

export function UploadList({ onChoose }: { onChoose: (kind: 'zip' | 'folder') => void }) {
  const words = useWords(uploadWords);
  const uploads = useUploads();
  // forgotten ones are gone from storage: this only asks for another look
  const [, lookAgain] = useState(0);
  const running = new Set(uploads.map((one) => one.source.fingerprint));
  const stopped = interrupted(running);
  if (uploads.length === 0 && stopped.length === 0) return null;
  const forgetOne = (one: Remembered) => {
    forget(one.id);
    transport.drop(one.id).catch(() => {}); // the backend drops it after an hour anyway
    lookAgain((count) => count + 1);
  };
  return (
    <section aria-label={words.uploads} className="panel m-4 mb-0">
      <ul className="m-0 list-none p-0">
        {uploads.map((one) => (
          <UploadRow key={one.key} upload={one} />
        ))}
        {stopped.map((one) => (
          <Stopped key={one.id} one={one} onChoose={() => onChoose(one.kind)} onForget={() => forgetOne(one)} />
        ))}
      </ul>
    </section>
  );
}

function Stopped({ one, onChoose, onForget }: { one: Remembered; onChoose: () => void; onForget: () => void }) {
  const words = useWords(uploadWords);
  const format = useFormat();
  return (
    <li className="flex flex-wrap items-center gap-x-3 gap-y-2 border-line border-t px-3 py-2 first:border-t-0">
      <div className="min-w-0 flex-1 basis-64">
        {words.interrupted(one.name, format.bytes(one.sent), format.bytes(one.bytes))}
        <div className="text-muted text-small">{words.interruptedHow(one.fileName)}</div>
      </div>
      <div className="flex gap-2">
        <Button onClick={onChoose}>{words.chooseAgain}</Button>
        <Button kind="quiet" onClick={onForget}>
          {words.drop}
        </Button>
      </div>
    </li>
  );
}
