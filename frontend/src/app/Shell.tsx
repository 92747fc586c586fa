/** The frame of every page: the rail, the offline bar, shortcuts, and what keeps all of it live. */
import { Outlet } from '@tanstack/react-router';
import { useEffect } from 'react';
import { useWords } from '~/i18n/words';
import { useLiveJobs } from '~/live/jobs';
import { startLive } from '~/live/live';
import { Toasts } from '~/ui/toast';
import { KeyboardHelp } from './KeyboardHelp';
import { useGlobalKeys } from './keys';
import { OfflineBar } from './OfflineBar';
import { Rail } from './Rail';
import { useSession } from './session';
import { appWords } from './words';

export function Shell() {
  const words = useWords(appWords);
  useEffect(startLive, []);
  useSession();
  useLiveJobs();
  useGlobalKeys();
  return (
    <div className="flex h-dvh flex-col-reverse wide:flex-row">
      <a href="#content" className="absolute -top-20 left-2 z-50 rounded-field bg-bg p-2 focus:top-2">
        {words.skip}
      </a>
      <Rail />
      <div className="relative flex min-h-0 min-w-0 flex-1 flex-col">
        <main id="content" tabIndex={-1} className="relative min-h-0 flex-1 overflow-auto outline-none">
          <Outlet />
        </main>
        <OfflineBar />
      </div>
      <KeyboardHelp />
      <Toasts />
    </div>
  );
}
