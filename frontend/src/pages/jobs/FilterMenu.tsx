import type { ReactNode } from 'react';
import { useFormat } from '~/format/format';
import { useWords } from '~/i18n/words';
import { Menu, MenuCheck } from '~/ui/Menu';
import { jobsWords } from './words';

type Props = {
  label: string;
  /** Each value there is, and how many jobs have it. */
  counts: Readonly<Record<string, number | null>> | undefined;
  named?: (value: string) => string | undefined;
  chosen: string[];
  onToggle: (value: string) => void;
};

export function FilterMenu({ label, counts, named, chosen, onToggle }: Props) {
  const words = useWords(jobsWords);
  const format = useFormat();
  // what is chosen can be taken back, even when no job has it any more
  const values = [...new Set([...Object.keys(counts ?? {}), ...chosen])];
  return (
    <Menu
      label={<MenuLabel>{chosen.length > 0 ? words.chosen(label, chosen.length) : label}</MenuLabel>}
      on={chosen.length > 0}
    >
      {values.length === 0 && <p className="m-0 px-2 py-1.5 text-muted">–</p>}
      {values.map((value) => (
        <MenuCheck key={value} checked={chosen.includes(value)} onChange={() => onToggle(value)}>
          <span className="min-w-0 max-w-72 truncate">{named?.(value) ?? value}</span>
          {counts?.[value] !== null && (
            <span className="ml-auto pl-3 text-muted">{format.count(counts?.[value] ?? 0)}</span>
          )}
        </MenuCheck>
      ))}
    </Menu>
  );
}

export function MenuLabel({ children }: { children: ReactNode }) {
  return (
    <>
      <span className="max-w-48 truncate font-normal">{children}</span>
      <span aria-hidden className="text-muted">
        ▾
      </span>
    </>
  );
}
