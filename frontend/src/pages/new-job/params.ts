/** A trainer's parameters as text in a field, and back: what the backend would refuse is said beside the field. */
import type { Schemas } from '~/api/client';
import type { Wrong } from './wrong';

export type Parameter = Schemas['Parameter'];
export type Value = boolean | number | string;
export type Texts = Record<string, string>;

const MOST_TEXT = 1_000;

export function textOf(value: Value): string {
  return String(value);
}

export type Read = { value: Value; wrong?: undefined } | { value?: undefined; wrong: Wrong };

const wrong = (wrong: Wrong): Read => ({ wrong });

/** As contract/manifest.py takes it. */
export function readParam(parameter: Parameter, text: string): Read {
  const given = text.trim();
  switch (parameter.type) {
    case 'bool':
      return given === 'true' || given === 'false' ? { value: given === 'true' } : wrong((say) => say.flag);
    case 'str':
      return readText(parameter, text);
    case 'int':
    case 'float':
      return readNumber(parameter, given);
  }
}

function readText(parameter: Parameter, text: string): Read {
  if (text.length > MOST_TEXT) return wrong((say) => say.tooLong(MOST_TEXT));
  return chosen(parameter, text);
}

function readNumber(parameter: Parameter, given: string): Read {
  if (given === '') return wrong((say) => say.required);
  // Number() also takes 0x10 and Infinity, which are no answers here
  const value = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(given) ? Number(given) : Number.NaN;
  const whole = parameter.type === 'int';
  if (!Number.isFinite(value)) return wrong((say) => (whole ? say.integer : say.number));
  if (whole && !Number.isInteger(value)) return wrong((say) => say.integer);
  if (whole && !Number.isSafeInteger(value)) return wrong((say) => say.tooLarge);
  const { min, max } = parameter;
  if (min !== null && min !== undefined && value < min) return wrong((say) => say.atLeast(textOf(min)));
  if (max !== null && max !== undefined && value > max) return wrong((say) => say.atMost(textOf(max)));
  return chosen(parameter, value);
}

function chosen(parameter: Parameter, value: Value): Read {
  const choices = parameter.choices ?? null;
  if (choices === null || choices.includes(value)) return { value };
  return wrong((say) => say.oneOf(choices.map(textOf).join(', ')));
}

/** Whether two texts mean the same: 1e-3 is 0.001. */
export function sameValue(parameter: Parameter, one: string, other: string): boolean {
  if (one === other) return true;
  const [a, b] = [readParam(parameter, one), readParam(parameter, other)];
  return a.wrong === undefined && b.wrong === undefined && a.value === b.value;
}

/** What a task's trainer takes when nothing is said. */
export function defaultTexts(manifest: Schemas['Manifest'], task: Schemas['Task']): Texts {
  const own = manifest.tasks[task]?.defaults ?? {};
  return Object.fromEntries(
    Object.entries(manifest.params).map(([name, parameter]) => [name, textOf(own[name] ?? parameter.default)]),
  );
}
