/** Which metric the list shows, and which of its values. */
import { useWords } from '~/i18n/words';
import { Menu, MenuCheck } from '~/ui/Menu';
import { BESTS, type Chosen } from './chosen';
import { MenuLabel } from './FilterMenu';
import { jobsWords } from './words';

type Props = { chosen: Chosen; onChange: (chosen: Chosen) => void; names: readonly string[] };

export function MetricMenu({ chosen, onChange, names }: Props) {
  const words = useWords(jobsWords);
  const known = chosen.metric === '' || names.includes(chosen.metric) ? names : [chosen.metric, ...names];
  return (
    <Menu
      label={<MenuLabel>{chosen.metric === '' ? words.metric : words.metricOf(chosen.metric)}</MenuLabel>}
      on={chosen.metric !== ''}
    >
      {BESTS.map((best) => (
        <MenuCheck key={best} checked={chosen.best === best} onChange={() => onChange({ ...chosen, best })}>
          {words[`value_${best}`]}
        </MenuCheck>
      ))}
      <div className="my-1 border-line border-t" />
      {['', ...known].map((metric) => (
        <MenuCheck key={metric} checked={chosen.metric === metric} onChange={() => onChange({ ...chosen, metric })}>
          <span className={`max-w-72 truncate ${metric === '' ? '' : 'font-mono'}`}>{metric || words.ownBest}</span>
        </MenuCheck>
      ))}
    </Menu>
  );
}
