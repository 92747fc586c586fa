import { expect, test } from 'vitest';
import { localTarget } from './target';

test.each([
  ['/jobs/a?tab=log#end', '/jobs/a?tab=log#end'],
  [undefined, '/'],
  ['', '/'],
  ['https://elsewhere.example/', '/'],
  ['//elsewhere.example/', '/'],
  ['/\\elsewhere.example/', '/'],
  ['/x/..//elsewhere.example', '/'],
  ['javascript:alert(1)', '/'],
  ['/sign-in?to=/sign-in', '/'],
])('%s leads to %s', (wanted, target) => {
  expect(localTarget(wanted)).toBe(target);
});
