import Database from 'better-sqlite3';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Epochs } from './epochs.js';
import { Facts } from './facts.js';
import { SeqRanges } from './seq-ranges.js';
import { Zones } from './zones.js';

function emptyDatabase(): Database.Database {
  const database = new Database(':memory:');
  database.exec('CREATE TABLE fact (number INTEGER PRIMARY KEY, kind TEXT, name TEXT, value TEXT, crc INTEGER)');
  return database;
}

const stretch = fc.record({
  adds: fc.boolean(),
  first: fc.integer({ min: 1, max: 60 }),
  length: fc.integer({ min: 1, max: 12 }),
  at: fc.integer({ min: 0, max: 3 }),
});

describe('ranges of record numbers', () => {
  test('are the set that was put in and taken out, in memory and on the disk, also after a transaction that failed', () => {
    fc.assert(
      fc.property(fc.array(stretch, { maxLength: 40 }), fc.nat(40), fc.nat(3), (steps, failsAt, joinMs) => {
        const database = emptyDatabase();
        const facts = new Facts(database);
        const ranges = new SeqRanges(facts, 'receipted', joinMs);
        const model = new Set<number>();
        steps.forEach(({ adds, first, length, at }, i) => {
          facts.begin();
          const last = first + length - 1;
          if (adds) ranges.add(first, last, at);
          else ranges.remove(first, last);
          if (i === failsAt) {
            facts.rollBack();
            ranges.reload();
            return;
          }
          for (let seq = first; seq <= last; seq += 1)
            if (adds) model.add(seq);
            else model.delete(seq);
          facts.write();
          facts.settle();
        });
        facts.write();
        const again = new SeqRanges(new Facts(database), 'receipted');
        expect(again.list()).toEqual(ranges.list());
        for (let seq = 0; seq <= 75; seq += 1) expect(ranges.has(seq)).toBe(model.has(seq));
        const gaps = new Set<number>();
        for (const [from, to] of ranges.gaps(5, 70)) for (let seq = from; seq <= to; seq += 1) gaps.add(seq);
        for (let seq = 5; seq <= 70; seq += 1) expect(gaps.has(seq)).toBe(!model.has(seq));
        database.close();
      }),
    );
  });

  test('neighbours are one range, and one row', () => {
    const database = emptyDatabase();
    const facts = new Facts(database);
    const ranges = new SeqRanges(facts, 'gone');
    for (const seq of [5, 3, 4, 1, 2]) ranges.add(seq, seq, seq);
    expect(ranges.list()).toEqual([{ first: 1, last: 5, at: 5 }]);
    expect(facts.entries('gone')).toHaveLength(1);
    database.close();
  });
});

describe('epochs', () => {
  test('name each record, and know only their own', () => {
    const database = emptyDatabase();
    const epochs = new Epochs(new Facts(database));
    epochs.begin('aaaa', 0, 1);
    epochs.begin('bbbb', 5, 2);
    epochs.begin('cccc', 5, 3);
    expect(epochs.nameOf(5)).toEqual({ epoch: 'aaaa', id: 5 });
    expect(epochs.nameOf(6)).toEqual({ epoch: 'cccc', id: 1 });
    expect(epochs.rangeOf('aaaa')).toEqual({ base: 0, last: 5 });
    expect(epochs.rangeOf('bbbb')).toEqual({ base: 5, last: 5 });
    epochs.forget(() => true);
    expect(epochs.rangeOf('bbbb')).toBeUndefined();
    database.close();
  });
});

describe('zones', () => {
  test('find what is live and what has a time, and nothing above the latest time is looked for', () => {
    const zones = new Zones();
    const note = (seq: number, at: number, offline: boolean) =>
      zones.note({ seq, at, before: 10, after: 0, offline }, [{ device: 'm', at }]);
    note(1, 1_000, false);
    note(300, 2_000, true);
    note(600, 3_000, false);
    expect(zones.liveZones(2_500)).toEqual([2]);
    expect(zones.liveZones(0)).toEqual([0, 2]);
    const decoded: number[] = [];
    const hasTime = (at: number) =>
      zones.hasTime('m', at, (zone) => {
        decoded.push(zone);
        return new Set([`m ${[1_000, 2_000, 3_000][zone]}`]);
      });
    expect([hasTime(2_000), hasTime(1_995), hasTime(5_000), hasTime(2_500)]).toEqual([true, false, false, false]);
    expect(decoded).toEqual([1]);
    zones.forgetBelow(600);
    expect(hasTime(2_000)).toBe(false);
  });
});
