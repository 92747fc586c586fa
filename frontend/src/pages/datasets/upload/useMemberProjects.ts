import { useSuspenseQuery } from '@tanstack/react-query';
import { meQuery } from '~/api/session';

/** The projects that one may upload to. */
export function useMemberProjects(): { id: string; name: string }[] {
  const { data: me } = useSuspenseQuery(meQuery);
  return me.projects.filter((one) => me.administrator || one.role !== 'viewer');
}
