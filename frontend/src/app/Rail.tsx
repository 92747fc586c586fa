/** Where one can go. On a phone it lies at the bottom. */
import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { setLanguage, useLanguage } from '~/i18n/language';
import { useWords } from '~/i18n/words';
import { toggleTheme } from './theme';
import { appWords } from './words';

const PATHS = {
  jobs: 'M2 4h12M2 8h12M2 12h8',
  datasets: 'M2 3h5v5H2zM9 3h5v5H9zM2 10h5v3H2zM9 10h5v3H9z',
  tryIt: 'M2 3h12v10H2zM2 10l4-3 3 2 2-2 3 3',
  compare: 'M2 12c3 0 3-8 6-8s3 5 6 5M2 9c3 0 4 3 6 3s3-8 6-8',
  services: 'M3 3h10v4H3zM3 9h10v4H3zM5 5h.1M5 11h.1',
  settings:
    'M8 5.5a2.5 2.5 0 1 0 0 5 2.5 2.5 0 0 0 0-5M8 1v2M8 13v2M1 8h2M13 8h2M3 3l1.5 1.5M11.5 11.5 13 13M13 3l-1.5 1.5M4.5 11.5 3 13',
};

const PLACES = [
  { to: '/', name: 'jobs' },
  { to: '/datasets', name: 'datasets' },
  { to: '/try', name: 'tryIt' },
  { to: '/compare', name: 'compare' },
  { to: '/services', name: 'services' },
  { to: '/settings', name: 'settings' },
] as const;

const PLACE =
  'flex min-h-11 min-w-0 flex-1 flex-col items-center justify-center gap-0.5 rounded-field px-0.5 text-small text-muted no-underline ' +
  'hover:bg-sunken wide:min-h-8 wide:flex-none wide:flex-row wide:justify-start wide:gap-2 wide:px-2 wide:text-body';

export function Rail() {
  const words = useWords(appWords);
  const language = useLanguage();
  return (
    <nav
      aria-label={words.main}
      className="flex shrink-0 gap-0.5 border-line border-t bg-raised p-1 wide:w-40 wide:flex-col wide:border-t-0 wide:border-r wide:p-2"
    >
      <Link to="/" className="hidden px-2 py-2 text-text text-title no-underline wide:block">
        trainyard
      </Link>
      {PLACES.map(({ to, name }) => (
        <Link
          key={name}
          to={to}
          className={PLACE}
          activeOptions={{ exact: to === '/', includeSearch: false }}
          activeProps={{ className: 'bg-accent-soft text-text! font-strong', 'aria-current': 'page' }}
        >
          <Icon path={PATHS[name]} />
          <span className="max-w-full truncate">{words[name]}</span>
        </Link>
      ))}
      <div className="flex flex-col items-center wide:mt-auto wide:flex-row wide:gap-0.5">
        <RailButton onClick={() => setLanguage(language === 'ko' ? 'en' : 'ko')} title={words.language}>
          <span lang={language === 'ko' ? 'en' : 'ko'}>
            <span className="hidden wide:inline">{words.language}</span>
            <span className="wide:hidden">{words.languageShort}</span>
          </span>
        </RailButton>
        <RailButton onClick={toggleTheme} name={words.theme}>
          <span aria-hidden>◐</span>
        </RailButton>
      </div>
    </nav>
  );
}

function Icon({ path }: { path: string }) {
  return (
    <svg
      aria-hidden
      viewBox="0 0 16 16"
      className="size-4 shrink-0"
      fill="none"
      stroke="currentColor"
      strokeWidth="1.4"
    >
      <path d={path} strokeLinecap="round" strokeLinejoin="round" />
    </svg>
  );
}

type Pressed = { onClick: () => void; name?: string; title?: string; children: ReactNode };

function RailButton({ onClick, name, title, children }: Pressed) {
  return (
    <button
      type="button"
      onClick={onClick}
      aria-label={name}
      title={title ?? name}
      className="min-h-6 min-w-8 wide:min-h-8 rounded-field border-0 bg-transparent px-1.5 text-muted text-small whitespace-nowrap hover:bg-sunken wide:px-2"
    >
      {children}
    </button>
  );
}
