/** Which address shows which page. Each page is loaded when it is first wanted. */

import type { QueryClient } from '@tanstack/react-query';
import {
  createRootRouteWithContext,
  createRoute,
  createRouter,
  lazyRouteComponent,
  redirect,
} from '@tanstack/react-router';
import { ApiError } from '~/api/client';
import { queryClient } from '~/api/queries';
import { meQuery } from '~/api/session';
import { Crashed, NotFound } from './Crashed';
import { Shell } from './Shell';
import { parseSearch, type Search, writeSearch } from './search';

const root = createRootRouteWithContext<{ queryClient: QueryClient }>()({
  notFoundComponent: NotFound,
  errorComponent: Crashed,
});

const plain = (search: Record<string, unknown>): Search => search as Search;

/** Everything but signing in needs somebody who is signed in. */
const inside = createRoute({
  getParentRoute: () => root,
  id: 'inside',
  component: Shell,
  beforeLoad: async ({ context, location }) => {
    try {
      await context.queryClient.ensureQueryData(meQuery);
    } catch (error) {
      if (error instanceof ApiError && error.status === 401)
        throw redirect({ to: '/sign-in', search: { to: location.href } });
      throw error;
    }
  },
});

const page = <P extends string>(path: P, component: ReturnType<typeof lazyRouteComponent>) =>
  createRoute({ getParentRoute: () => inside, path, component, validateSearch: plain });

const routes = [
  page(
    '/',
    lazyRouteComponent(() => import('~/pages/jobs/JobsPage'), 'JobsPage'),
  ),
  page(
    '/new',
    lazyRouteComponent(() => import('~/pages/new-job/NewJobPage'), 'NewJobPage'),
  ),
  page(
    '/jobs/$jobId',
    lazyRouteComponent(() => import('~/pages/job/JobPage'), 'JobPage'),
  ),
  page(
    '/compare',
    lazyRouteComponent(() => import('~/pages/compare/ComparePage'), 'ComparePage'),
  ),
  page(
    '/datasets',
    lazyRouteComponent(() => import('~/pages/datasets/DatasetsPage'), 'DatasetsPage'),
  ),
  page(
    '/datasets/$datasetId',
    lazyRouteComponent(() => import('~/pages/dataset/DatasetPage'), 'DatasetPage'),
  ),
  page(
    '/try',
    lazyRouteComponent(() => import('~/pages/try-it/TryPage'), 'TryPage'),
  ),
  page(
    '/services',
    lazyRouteComponent(() => import('~/pages/services/ServicesPage'), 'ServicesPage'),
  ),
  page(
    '/settings',
    lazyRouteComponent(() => import('~/pages/settings/SettingsPage'), 'SettingsPage'),
  ),
] as const;

const signIn = createRoute({
  getParentRoute: () => root,
  path: '/sign-in',
  validateSearch: plain,
  component: lazyRouteComponent(() => import('~/pages/sign-in/SignInPage'), 'SignInPage'),
});

export const router = createRouter({
  routeTree: root.addChildren([inside.addChildren(routes), signIn]),
  context: { queryClient },
  parseSearch,
  stringifySearch: writeSearch,
  defaultPreload: 'intent',
  scrollRestoration: true,
});

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router;
  }
}
