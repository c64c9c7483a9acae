import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decimalsOfStep } from './axis.js';
import { type Span, shiftInside, zoomSpan } from './navigate.js';

const whole: Span = [0, 86_400_000];
const span = fc
  .tuple(fc.integer({ min: 0, max: 86_000_000 }), fc.integer({ min: 300_000, max: 86_400_000 }))
  .map(([from, size]): Span => shiftInside([from, from + size], 0, whole));

describe('moving through a chart', () => {
  it('never leaves what was loaded', () => {
    fc.assert(
      fc.property(span, fc.integer({ min: -1e9, max: 1e9 }), (start, by) => {
        const [from, to] = shiftInside(start, by, whole);
        expect(from).toBeGreaterThanOrEqual(0);
        expect(to).toBeLessThanOrEqual(whole[1]);
        expect(to - from).toBe(start[1] - start[0]);
      }),
    );
  });

  it('zooms around the cursor, between five minutes and everything', () => {
    expect(zoomSpan([0, 40_000_000], 0.5, 10_000_000, whole)).toEqual([5_000_000, 25_000_000]);
    fc.assert(
      fc.property(
        span,
        fc.double({ min: 0.01, max: 100, noNaN: true }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (start, factor, share) => {
          const [from, to] = zoomSpan(start, factor, start[0] + share * (start[1] - start[0]), whole);
          expect(to - from).toBeGreaterThanOrEqual(300_000 - 1);
          expect(from).toBeGreaterThanOrEqual(0);
          expect(to).toBeLessThanOrEqual(whole[1]);
        },
      ),
    );
  });
});

describe('the labels of an axis', () => {
  it('have the decimals that their step needs', () => {
    expect([1, 20, 2.5, 0.5, 0.1 + 0.2, 0.25].map(decimalsOfStep)).toEqual([0, 0, 1, 1, 1, 2]);
  });
});
