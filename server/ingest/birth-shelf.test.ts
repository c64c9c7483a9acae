import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createBirthShelf, type Placing } from './birth-shelf.js';

const placing = (number: number, names: readonly string[], gateway = 'a'): Placing => ({
  number,
  gateway,
  metrics: new Map(names.map((metric, index) => [index, { device: 'meter', metric, kind: 'gauge' }])),
});
const nameAt = (found: Placing | undefined, index = 0): string | undefined => found?.metrics?.get(index)?.metric;

test('data finds the birth that it was made under, also when later births call other metrics so', () => {
  const shelf = createBirthShelf(8);
  expect(shelf.take(placing(1, ['ac.power', 'ac.voltage']))).toBe(true);
  expect(shelf.take(placing(5, ['ac.voltage', 'ac.power'], 'b'))).toBe(true);
  expect(shelf.take(placing(1, ['ac.power', 'ac.voltage']))).toBe(false);
  expect([nameAt(shelf.find(1)), nameAt(shelf.find(5)), shelf.find(2)]).toEqual(['ac.power', 'ac.voltage', undefined]);
});

test('a number under which two births told different things places nothing any more', () => {
  const shelf = createBirthShelf(8);
  shelf.take(placing(1, ['ac.power', 'ac.voltage'], 'a'));
  expect(shelf.take(placing(1, ['ac.voltage', 'ac.power'], 'b'))).toBe(true);
  expect(shelf.find(1)).toMatchObject({ number: 1, metrics: undefined });
  shelf.take(placing(1, ['ac.power', 'ac.voltage'], 'a'));
  expect(shelf.find(1)?.metrics).toBeUndefined();
  shelf.take(placing(2, ['ac.power'], 'a'));
  expect(nameAt(shelf.find(2))).toBe('ac.power');
});

test('births that differ in their number only take the memory of one', () => {
  const shelf = createBirthShelf(8);
  for (let number = 1; number <= 5; number += 1) shelf.take(placing(number, ['ac.power'], String(number)));
  expect(new Set(shelf.all().map(({ metrics }) => metrics)).size).toBe(1);
});

test('a gateway that renews its birth pushes out its own, not the birth of another', () => {
  const shelf = createBirthShelf(4);
  shelf.take(placing(1, ['ac.power'], 'one'));
  for (let number = 2; number < 40; number += 1) shelf.take(placing(number, ['ac.voltage'], 'other'));
  expect(shelf.all().map(({ number }) => number)).toEqual([1, 37, 38, 39]);
  for (const gateway of ['x', 'y', 'z', 'u', 'v']) shelf.take(placing(100 + gateway.charCodeAt(0), ['q'], gateway));
  expect(shelf.all()).toHaveLength(4);
});

test('whatever comes in whatever order, a number places as the births of that number did, or not at all', () => {
  const names = fc.subarray(['a', 'b', 'c'], { minLength: 1 });
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.integer({ min: 1, max: 6 }), names, fc.constantFrom('g', 'h')), { maxLength: 40 }),
      (births) => {
        const shelf = createBirthShelf(3);
        const told = new Map<number, Set<string>>();
        for (const [number, metrics, gateway] of births) {
          const wasKnown = shelf.find(number) !== undefined;
          shelf.take(placing(number, metrics, gateway));
          if (!wasKnown) told.delete(number);
          told.set(number, (told.get(number) ?? new Set()).add(metrics.join()));
          for (const kept of shelf.all()) {
            const all = [...(told.get(kept.number) ?? [])];
            const now = kept.metrics && [...kept.metrics.values()].map(({ metric }) => metric).join();
            expect(all.length === 1 ? now === all[0] : now === undefined).toBe(true);
          }
          expect(shelf.all().length).toBeLessThanOrEqual(3);
        }
      },
    ),
  );
});
