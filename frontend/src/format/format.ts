/** How numbers and times are written: here and nowhere else. */
import { type Language, useLanguage } from '~/i18n/language';

/** A metric as the API tells it: JSON has no NaN and no Infinity. */
export type Told = number | 'NaN' | 'Infinity' | '-Infinity';

export function asNumber(told: Told): number {
  return typeof told === 'number' ? told : Number(told);
}

export function metric(value: Told | null | undefined): string {
  if (value === null || value === undefined) return '–';
  const number = asNumber(value);
  if (!Number.isFinite(number)) return Number.isNaN(number) ? 'NaN' : number > 0 ? '∞' : '−∞';
  if (number === 0) return '0';
  const size = Math.abs(number);
  if (size < 1e-4 || size >= 1e6) return minus(number.toExponential(3));
  return minus(String(Number(number.toPrecision(4))));
}

const minus = (text: string) => text.replace('-', '−').replace('e−', 'e-');

/** Korean writes a unit right behind its number. */
const UNITS: Record<Language, [d: string, h: string, m: string, s: string]> = {
  en: [' d', ' h', ' m', ' s'],
  ko: ['일', '시간', '분', '초'],
};

function lasting(seconds: number, language: Language): string {
  const [d, h, m, s] = UNITS[language];
  if (seconds < 10) return `${Number(Math.max(0, seconds).toFixed(1))}${s}`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole}${s}`;
  if (whole < 3600) return `${Math.floor(whole / 60)}${m} ${whole % 60}${s}`;
  if (whole < 86_400) return `${Math.floor(whole / 3600)}${h} ${Math.floor((whole % 3600) / 60)}${m}`;
  return `${Math.floor(whole / 86_400)}${d} ${Math.floor((whole % 86_400) / 3600)}${h}`;
}

const BYTES = ['B', 'kB', 'MB', 'GB', 'TB'];

export function bytes(count: number | null | undefined): string {
  if (count === null || count === undefined) return '–';
  let size = count;
  let unit = 0;
  while (size >= 1000 && unit < BYTES.length - 1) {
    size /= 1000;
    unit += 1;
  }
  return `${unit === 0 || size >= 100 ? Math.round(size) : Number(size.toPrecision(3))} ${BYTES[unit]}`;
}

export function share(part: number): string {
  const percent = part * 100;
  return `${percent > 0 && percent < 1 ? percent.toFixed(1) : Math.round(percent)} %`;
}

const STEPS: [seconds: number, unit: Intl.RelativeTimeFormatUnit][] = [
  [86_400 * 365, 'year'],
  [86_400 * 30, 'month'],
  [86_400, 'day'],
  [3_600, 'hour'],
  [60, 'minute'],
];

export function makeFormat(language: Language) {
  const relative = new Intl.RelativeTimeFormat(language, { numeric: 'auto', style: 'short' });
  const absolute = new Intl.DateTimeFormat(language, { dateStyle: 'medium', timeStyle: 'medium' });
  const day = new Intl.DateTimeFormat(language, { dateStyle: 'full' });
  const clock = new Intl.DateTimeFormat(language, {
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
    hourCycle: 'h23',
  });
  const counted = new Intl.NumberFormat(language);
  return {
    metric,
    bytes,
    share,
    count: (number: number) => counted.format(number),
    duration: (seconds: number | null | undefined) =>
      seconds === null || seconds === undefined ? '–' : lasting(seconds, language),
    /** "3 minutes ago"; times of the API are seconds since 1970. */
    ago: (at: number, now: number) => {
      const seconds = at - now;
      const step = STEPS.find(([size]) => Math.abs(seconds) >= size);
      return step === undefined
        ? relative.format(0, 'second')
        : relative.format(Math.trunc(seconds / step[0]), step[1]);
    },
    at: (at: number) => absolute.format(at * 1000),
    day: (at: number) => day.format(at * 1000),
    clock: (at: number) => clock.format(at * 1000),
  };
}

export type Format = ReturnType<typeof makeFormat>;

const formats = { en: makeFormat('en'), ko: makeFormat('ko') };

export function useFormat(): Format {
  return formats[useLanguage()];
}
