import { QueryClient } from '@tanstack/react-query';
import { expect, test, vi } from 'vitest';
import { meQuery } from '~/api/session';
import { isOver, signInFrom } from './session';

/** What /v1/me is answered; the client takes its fetch when it is loaded. */
const backend = vi.hoisted(() => {
  const now = { answer: async () => new Response() };
  globalThis.fetch = () => now.answer();
  return now;
});

async function over(answer: () => Promise<Response>): Promise<boolean> {
  backend.answer = answer;
  const client = new QueryClient({ defaultOptions: { queries: { retry: false } } });
  client.setQueryData(meQuery.queryKey, { name: 'kim' } as never); // as it was at load
  return isOver(client);
}

const says = (status: number, body: object) => async () => Response.json(body, { status });

test('only a backend that knows nobody here ends the session', async () => {
  expect(await over(says(401, { error: { code: 'unauthorized', message: 'No.', hint: '', field: null } }))).toBe(true);
  expect(await over(says(200, { name: 'kim' }))).toBe(false);
  expect(await over(says(503, {}))).toBe(false);
  expect(await over(() => Promise.reject(new TypeError('away')))).toBe(false);
});

test('whoever signs in again comes back to the same address', () => {
  const to = signInFrom({ pathname: '/jobs/job-1', search: '?tab=log', hash: '' });
  expect(new URL(to, location.origin).searchParams.get('to')).toBe('/jobs/job-1?tab=log');
  expect(to.startsWith('/sign-in?')).toBe(true);
});
