/** A session that ends while somebody looks: the stream is refused, and then it leads to signing in, as at load. */
import { type QueryClient, useQueryClient } from '@tanstack/react-query';
import { useEffect } from 'react';
import { ApiError } from '~/api/client';
import { meQuery } from '~/api/session';
import { onRefused } from '~/live/live';
import { writeSearch } from './search';

/** Mounted once, in the shell. */
export function useSession(): void {
  const client = useQueryClient();
  useEffect(
    () =>
      onRefused(async () => {
        // a whole load: nothing of whoever was here stays in memory
        if (await isOver(client)) location.replace(signInFrom(location));
      }),
    [client],
  );
}

/** True only where the backend says that nobody is signed in. */
export async function isOver(client: QueryClient): Promise<boolean> {
  try {
    await client.fetchQuery({ ...meQuery, staleTime: 0 });
    return false;
  } catch (error) {
    return error instanceof ApiError && error.status === 401;
  }
}

/** Where to sign in, to come back to this address afterwards. */
export function signInFrom({ pathname, search, hash }: Pick<Location, 'pathname' | 'search' | 'hash'>): string {
  return `/sign-in${writeSearch({ to: pathname + search + hash })}`;
}
