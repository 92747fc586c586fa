/** The views of a job to choose from; the choice stands in the address. */
import { Link } from '@tanstack/react-router';
import { useWords } from '~/i18n/words';
import { TABS, type TabName } from './tabs';
import { jobWords } from './words';

const TAB = 'whitespace-nowrap border-b-2 px-3 py-2 no-underline ';

export function Tabs({ jobId, current }: { jobId: string; current: TabName }) {
  const words = useWords(jobWords);
  return (
    <nav aria-label={words.views} className="flex overflow-x-auto border-line border-b px-1">
      {TABS.map(({ name }) => (
        <Link
          key={name}
          to="/jobs/$jobId"
          params={{ jobId }}
          search={name === 'charts' ? {} : { tab: name }}
          replace
          resetScroll={false}
          aria-current={name === current ? 'page' : undefined}
          className={`${TAB} ${name === current ? 'border-accent text-text' : 'border-transparent text-muted hover:text-text'}`}
        >
          {words[name]}
        </Link>
      ))}
    </nav>
  );
}
