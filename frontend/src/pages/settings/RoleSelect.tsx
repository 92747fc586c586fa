/** Chooses a role, the least first; each says on hover what it may. */
import type { ComponentProps } from 'react';
import type { Role } from '~/api/session';
import { useWords } from '~/i18n/words';
import { settingsWords } from './words';

const ROLES: Role[] = ['viewer', 'member', 'admin'];

export function RoleSelect(props: Omit<ComponentProps<'select'>, 'children'>) {
  const words = useWords(settingsWords);
  return (
    <select className="field" {...props}>
      {ROLES.map((role) => (
        <option key={role} value={role} title={words[`${role}May`]}>
          {words[role]}
        </option>
      ))}
    </select>
  );
}
