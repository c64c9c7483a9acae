import fc from 'fast-check';
import { expect, test } from 'vitest';
import { addStretch, STRETCHES_MAX, type Stretch, takeDue } from './dirty-stretches.js';

const ALWAYS = { quietSince: 1000, oldest: 1000, quartersMax: 1000 };

function quartersOf(stretches: readonly Stretch[]): number[] {
  return stretches.flatMap(({ from, to }) => Array.from({ length: to - from }, (_, i) => from + i));
}

const changes = fc.array(fc.tuple(fc.integer({ min: 0, max: 200 }), fc.integer({ min: 1, max: 5 })), { maxLength: 60 });

test('stretches hold every quarter that was added, in order, none twice, and no more of them than there is room for', () => {
  fc.assert(
    fc.property(changes, (added) => {
      const stretches: Stretch[] = [];
      const wanted = new Set<number>();
      let joined = 0;
      for (const [from, length] of added) {
        joined += addStretch(stretches, { from, to: from + length, firstAt: 0, lastAt: 0 });
        for (let quarter = from; quarter < from + length; quarter += 1) wanted.add(quarter);
      }
      const held = quartersOf(stretches);
      expect(held).toEqual([...new Set(held)].sort((a, b) => a - b));
      expect(stretches.length).toBeLessThanOrEqual(STRETCHES_MAX);
      for (const quarter of wanted) expect(held).toContain(quarter);
      if (joined === 0) expect(held).toHaveLength(wanted.size);
    }),
  );
});

test('what is taken until nothing is due is each quarter before the limit once; the rest stays', () => {
  fc.assert(
    fc.property(changes, fc.integer({ min: 1, max: 210 }), fc.integer({ min: 1, max: 10 }), (added, before, most) => {
      const stretches: Stretch[] = [];
      for (const [from, length] of added) addStretch(stretches, { from, to: from + length, firstAt: 0, lastAt: 0 });
      const all = quartersOf(stretches);
      const taken: Stretch[] = [];
      const due = { ...ALWAYS, before, quartersMax: most };
      for (let next = takeDue(stretches, due); next !== undefined; next = takeDue(stretches, due)) taken.push(next);
      expect(quartersOf(taken)).toEqual(all.filter((quarter) => quarter < before));
      expect(quartersOf(stretches)).toEqual(all.filter((quarter) => quarter >= before));
      for (const { from, to } of taken) expect(to - from).toBeLessThanOrEqual(most);
    }),
  );
});

test('a change waits for others that come with it, but not for ever', () => {
  const stretches: Stretch[] = [];
  addStretch(stretches, { from: 5, to: 6, firstAt: 100, lastAt: 100 });
  addStretch(stretches, { from: 5, to: 6, firstAt: 160, lastAt: 160 });
  const due = { before: 10, quartersMax: 10 };
  expect(takeDue(stretches, { ...due, quietSince: 159, oldest: 99 })).toBeUndefined();
  expect(takeDue([...stretches], { ...due, quietSince: 159, oldest: 100 })).toMatchObject({ from: 5, to: 6 });
  expect(takeDue([...stretches], { ...due, quietSince: 160, oldest: 99 })).toMatchObject({ from: 5, to: 6 });
});
