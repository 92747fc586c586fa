/** Words in both languages, side by side in the folder that uses them, so that none can be forgotten. */
import { type Language, useLanguage } from './language';

/** A sentence, or a function that makes a whole one: sentences are never put together from pieces. */
type Word = string | ((...values: never[]) => string);

type Same<T> = { [K in keyof T]: T[K] extends string ? string : T[K] };

export type Words<T> = Record<Language, Same<T>>;

export function defineWords<T extends Record<string, Word>>(en: T, ko: Same<T>): Words<T> {
  return { en: en as Same<T>, ko };
}

export function useWords<T>(words: Words<T>): Same<T> {
  return words[useLanguage()];
}
