import { describe, expect, it } from 'vitest';
import { PLAIN } from './ansi';
import { lookOf } from './look';

describe('lookOf', () => {
  it('is nothing for a plain style', () => {
    expect(lookOf(PLAIN)).toBeUndefined();
  });

  it('takes the theme’s colours, also for the bright ones', () => {
    expect(lookOf({ ...PLAIN, fg: 1 })).toEqual({ color: 'var(--ansi-red)' });
    expect(lookOf({ ...PLAIN, fg: 9, bold: true })).toEqual({ color: 'var(--ansi-red)', fontWeight: 600 });
  });

  it('keeps any other colour legible on both themes', () => {
    expect(lookOf({ ...PLAIN, fg: '#101010' })?.color).toMatch(/^light-dark\(oklch\(from #101010 min\(l, .*max\(l, /);
  });

  it('swaps for inverse, and keeps backgrounds faint', () => {
    expect(lookOf({ ...PLAIN, inverse: true, fg: 2, bg: 1 })).toEqual({
      color: 'var(--bg)',
      background: 'var(--ansi-green)',
    });
    expect(lookOf({ ...PLAIN, bg: 1 })?.background).toContain('16%');
  });

  it('draws both lines', () => {
    expect(lookOf({ ...PLAIN, underline: true, strike: true })?.textDecoration).toBe('underline line-through');
  });
});
