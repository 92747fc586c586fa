/** Who is signed in, and what they may do: to show only what will be answered. The backend decides all the same. */
import { queryOptions, useSuspenseQuery } from '@tanstack/react-query';
import { api, ask, type Schemas } from './client';

export type Role = Schemas['Role'];

export type Me = Schemas['Me'];

export const meQuery = queryOptions({
  queryKey: ['me'],
  queryFn: ({ signal }) => ask(api.GET('/v1/me', { signal })),
  staleTime: 5 * 60_000,
});

const RANK: Record<Role, number> = { viewer: 0, member: 1, admin: 2 };

export function useMe(): Me {
  return useSuspenseQuery(meQuery).data;
}

/** `may('member', projectId)`; without a project: in any of them. */
export function useMay(): (role: Role, projectId?: string) => boolean {
  const me = useMe();
  return (role, projectId) =>
    me.administrator ||
    me.projects.some((one) => (projectId === undefined || one.id === projectId) && RANK[one.role] >= RANK[role]);
}
