// @vitest-environment node
import { expect, test } from 'vitest';
import schema from '~/api/schema.d.ts?raw';
import { reasonWords } from '~/ui/reasonWords';
import { causeTitles, koreanCauses } from './causeWords';
import { koreanReasons } from './reasonTold';
import { settingsOf, tell, wantsWords } from './told';

/** The members of a closed enum as the generated types have them. */
function members(before: RegExp): string[] {
  const line = schema
    .slice(schema.search(before))
    .split('\n')
    .find((one) => one.includes('"'));
  return [...(line ?? '').matchAll(/"([^"]*)"/g)].map((match) => match[1] ?? '');
}

const causes = members(/ cause: "/);
const reasons = members(/ Reason: "/);

test('the schema has causes and reasons as closed enums', () => {
  expect(causes).toContain('gpu_memory');
  expect(causes.length).toBeGreaterThan(30);
  expect(reasons).toContain('OutOfMemory');
  expect(reasons.length).toBeGreaterThan(15);
});

test('every reason has words in both languages', () => {
  for (const reason of reasons) {
    const name = reason as keyof typeof koreanReasons;
    expect(reasonWords.en[name], reason).toBeTruthy();
    expect(reasonWords.ko[name], reason).toMatch(/[가-힣]/);
    expect(koreanReasons[name]?.what, reason).toMatch(/다\.$/);
  }
});

test('every cause has words in both languages', () => {
  for (const cause of causes.filter((one) => one !== '')) {
    const name = cause as keyof typeof koreanCauses;
    expect(causeTitles.en[name], cause).toBeTruthy();
    expect(causeTitles.ko[name], cause).toMatch(/[가-힣]/);
    expect(koreanCauses[name]?.what, cause).toMatch(/다\.$/);
  }
});

const said = { cause: 'memory', reason: 'OutOfMemory', what: 'It was.', advice: 'Do so.', parameter: null } as const;

test('English says what the backend says; Korean says it in Korean and adds that', () => {
  expect(tell(said, { params: {} }, 'en')).toEqual({
    title: 'Out of memory',
    what: 'It was.',
    advice: 'Do so.',
    original: '',
  });
  const korean = tell(said, { params: {} }, 'ko');
  expect(korean.title).toBe('메모리 부족');
  expect(korean.original).toBe('It was. Do so.');
});

test('without a cause the reason speaks', () => {
  const told = tell({ ...said, cause: '', reason: 'Killed' }, { params: {} }, 'ko');
  expect(told.title).toBe('외부에서 강제 종료됨');
  expect(told.what).toBe(koreanReasons.Killed.what);
});

test('a refused parameter is named with its value', () => {
  const refused = { ...said, cause: 'parameter', parameter: 'learning_rate' } as const;
  expect(tell(refused, { params: { learning_rate: 9 } }, 'ko').what).toContain('learning_rate = 9');
});

test('settings of a remedy as they are read', () => {
  expect(settingsOf({ batch_size: 8, image_size: 480 })).toBe('batch_size 8, image_size 480');
});

test('only a failure, or a success whose loss is no number, wants words', () => {
  const summary = (last: number | 'NaN') => ({ last, last_step: 1, min: 0, min_step: 1, max: 1, max_step: 1 });
  expect(wantsWords({ state: 'FAILED', metrics: {} })).toBe(true);
  expect(wantsWords({ state: 'RUNNING', metrics: { 'train/loss': summary('NaN') } })).toBe(false);
  expect(wantsWords({ state: 'SUCCEEDED', metrics: { 'train/loss': summary('NaN') } })).toBe(true);
  expect(wantsWords({ state: 'SUCCEEDED', metrics: { 'train/loss': summary(1), 'val/f1': summary('NaN') } })).toBe(
    false,
  );
});
