import { describe, expect, it } from 'vitest';
import { asShares, classColour, labelPlace } from './boxes';

describe('boxes over a picture', () => {
  it('turns pixels into shares of the picture', () => {
    expect(asShares([64, 48, 320, 240], 'pixel', 640, 480)).toEqual([0.1, 0.1, 0.5, 0.5]);
  });

  it('puts corners in order and keeps them inside', () => {
    expect(asShares([1.4, 0.9, -0.2, 0.1], 'share', 0, 0)).toEqual([0, 0.1, 1, 0.9]);
  });

  it('leaves out what is no box', () => {
    expect(asShares([1, 2, 3], 'pixel', 10, 10)).toBeNull();
    expect(asShares([1, Number.NaN, 3, 4], 'pixel', 10, 10)).toBeNull();
    expect(asShares([1, 2, 3, 4], 'pixel', 0, 10)).toBeNull();
  });

  it('gives a class one colour of the ten, whatever script its name is in', () => {
    expect(classColour('cat')).toBe(classColour('cat'));
    expect(classColour('고양이')).toMatch(/^var\(--run-\d\)$/);
    expect(new Set(['cat', 'dog', 'bird', 'fish', 'horse', 'cow'].map(classColour)).size).toBeGreaterThan(2);
  });

  it('keeps a label within the picture', () => {
    expect(labelPlace([0.5, 0.5, 0.9, 0.9])).toMatchObject({ left: '50%', top: '50%', maxWidth: '50%', above: true });
    expect(labelPlace([0.5, 0, 0.9, 0.9]).above).toBe(false);
    expect(labelPlace([0.9, 0.5, 1, 0.9])).toMatchObject({ right: '0%', maxWidth: '100%' });
  });
});
