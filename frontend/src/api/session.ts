/** Who is signed in, and what they may do: to show only what will be answered. The backend decides all the same. */
import { queryOptions, useSuspenseQuery } from '@tanstack/react-query';
import { ApiError, errorOf } from './client';

export type Role = 'viewer' | 'member' | 'admin';

export type Me = {
  id: string;
  name: string;
  administrator: boolean;
  has_password: boolean;
  via: 'session' | 'token';
  projects: { id: string; name: string; role: Role }[];
};

export const meQuery = queryOptions({
  queryKey: ['me'],
  queryFn: async ({ signal }): Promise<Me> => {
    let answer: Response;
    try {
      answer = await fetch('/v1/me', { signal, credentials: 'same-origin' });
    } catch {
      throw new ApiError(0, 'unreachable', '', '', null);
    }
    const body: unknown = await answer.json().catch(() => null);
    if (!answer.ok) throw errorOf(answer.status, body);
    return body as Me;
  },
  staleTime: 5 * 60_000,
});

const RANK: Record<Role, number> = { viewer: 0, member: 1, admin: 2 };

/** `may('member', projectId)`; without a project: in any of them. */
export function useMay(): (role: Role, projectId?: string) => boolean {
  const { data: me } = useSuspenseQuery(meQuery);
  return (role, projectId) =>
    me.administrator ||
    me.projects.some((one) => (projectId === undefined || one.id === projectId) && RANK[one.role] >= RANK[role]);
}
