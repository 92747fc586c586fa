import type { Role } from '~/api/session';

/** The least first. */
export const ROLES: Role[] = ['viewer', 'member', 'admin'];
