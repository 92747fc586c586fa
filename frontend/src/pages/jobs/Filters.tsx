/** What narrows the list: all of it stands in the address. */
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import type { State } from '~/api/client';
import { useMe } from '~/api/session';
import { useWords } from '~/i18n/words';
import { Button } from '~/ui/Button';
import { Search } from '~/ui/Search';
import { stateWords } from '~/ui/stateWords';
import { tierWords } from '~/ui/tierWords';
import { type Chosen, type Filter, isFiltered, listed, toggled, withoutFilters } from './chosen';
import { FilterMenu } from './FilterMenu';
import { facetsQuery } from './facets';
import { MetricMenu } from './MetricMenu';
import { SortFields } from './SortFields';
import { jobsWords } from './words';

type Props = {
  chosen: Chosen;
  onChange: (chosen: Chosen, replace?: boolean) => void;
  datasets: ReadonlyMap<string, string>;
  /** As much room as a desk has: everything in one line. */
  wide: boolean;
};

export function Filters({ chosen, onChange, datasets, wide }: Props) {
  const words = useWords(jobsWords);
  const [open, setOpen] = useState(false);
  const on = (['state', 'trainer', 'dataset', 'tier', 'tag', 'project'] as const).filter((name) => chosen[name]).length;
  return (
    <div className="flex flex-wrap items-center gap-2 border-line border-b px-4 py-2">
      <Search
        value={chosen.search}
        onChange={(search) => onChange({ ...chosen, search }, true)}
        label={words.search}
        className="w-auto! min-w-32 flex-1 wide:max-w-56"
      />
      {!wide && (
        <Button aria-expanded={open} onClick={() => setOpen(!open)}>
          {on > 0 ? words.filtersOn(on) : words.filters}
        </Button>
      )}
      {(wide || open) && (
        <div className={wide ? 'contents' : 'flex w-full flex-wrap gap-2'}>
          <Menus chosen={chosen} onChange={onChange} datasets={datasets} />
        </div>
      )}
      {isFiltered(chosen) && (
        <Button kind="quiet" onClick={() => onChange(withoutFilters(chosen))}>
          {words.clear}
        </Button>
      )}
      {!wide && open && <SortFields chosen={chosen} onChange={onChange} />}
    </div>
  );
}

function Menus({ chosen, onChange, datasets }: Omit<Props, 'wide'>) {
  const words = useWords(jobsWords);
  const states = useWords(stateWords);
  const tiers = useWords(tierWords);
  const me = useMe();
  const { data: facets } = useQuery(facetsQuery(chosen.project));
  const several = (name: Filter) => ({
    chosen: listed(chosen[name]),
    onToggle: (value: string) => onChange({ ...chosen, [name]: toggled(chosen[name], value) }),
  });
  const one = (name: Filter) => ({
    chosen: listed(chosen[name]),
    onToggle: (value: string) => onChange({ ...chosen, [name]: chosen[name] === value ? '' : value }),
  });
  return (
    <>
      <FilterMenu
        label={words.state}
        counts={facets?.states}
        named={(value) => states[value as State]}
        {...several('state')}
      />
      <FilterMenu label={words.trainer} counts={facets?.frameworks} {...several('trainer')} />
      <FilterMenu
        label={words.dataset}
        counts={facets?.datasets}
        named={(id) => datasets.get(id) ?? id}
        {...several('dataset')}
      />
      <FilterMenu
        label={words.tier}
        counts={facets?.executions}
        named={(value) => tiers[value as keyof typeof tiers]}
        {...several('tier')}
      />
      {(chosen.tag !== '' || Object.keys(facets?.tags ?? {}).length > 0) && (
        <FilterMenu label={words.tag} counts={facets?.tags} {...one('tag')} />
      )}
      {me.projects.length > 1 && (
        <FilterMenu
          label={words.project}
          counts={Object.fromEntries(me.projects.map((project) => [project.id, null]))}
          named={(id) => me.projects.find((project) => project.id === id)?.name ?? id}
          {...one('project')}
        />
      )}
      <MetricMenu chosen={chosen} onChange={onChange} names={facets?.metrics ?? []} />
    </>
  );
}
