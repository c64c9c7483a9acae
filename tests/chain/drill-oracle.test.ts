import { describe, expect, test } from 'vitest';
import type { DrillOptions } from '#cli/drill/run-drill.js';
import type { Outbox } from '#gateway/outbox/outbox.js';
import type { Point, Store } from '#server/ports.js';
import { drillPost } from './drill.js';

type Drafts = Parameters<Outbox['append']>[0];

/** A quiet hour, but for what the test does to it. */
const drill = async (spoilt: Partial<DrillOptions>, full = true) =>
  (await drillPost({ seed: 3, full, kinds: ['linkCut'], ...spoilt })).tally;

const isLevel = ({ metric }: { readonly metric: string }): boolean => metric === 'tank.level';
/** Early ones come again with the snapshot of the first birth. */
const SPOILT = 5;

/** Does something to the fifth write that has a level in it. */
function spoilWrite(change: (points: readonly Point[], level: Point) => readonly Point[]): (store: Store) => void {
  return (store) => {
    const write = store.write.bind(store);
    let seen = 0;
    store.write = (points) => {
      const level = points.find(isLevel);
      if (level !== undefined) seen += 1;
      return write(level !== undefined && seen === SPOILT ? change(points, level) : points);
    };
  };
}

/** The same with what the outbox is given. */
function spoilAppend(change: (drafts: Drafts) => Drafts): (outbox: Outbox) => void {
  return (outbox) => {
    const append = outbox.append.bind(outbox);
    let seen = 0;
    outbox.append = (drafts) => {
      const hasLevel = drafts.some(({ samples }) => samples.some(isLevel));
      if (hasLevel) seen += 1;
      return append(hasLevel && seen === SPOILT ? change(drafts) : drafts);
    };
  };
}

describe('the drill sees', () => {
  test('nothing where nothing is wrong, in both modes', async () => {
    for (const full of [true, false]) {
      const tally = await drill({}, full);
      expect(tally).toMatchObject({ missing: 0, duplicated: 0, altered: 0, unwritten: 0, aggregated: 0, expired: 0 });
      expect(tally.stored).toBe(tally.produced);
    }
  });

  test('a point that the store lost after it said that it had it', async () => {
    const spoilStore = spoilWrite((points, level) => points.filter((point) => point !== level));
    expect(await drill({ spoilStore })).toMatchObject({ missing: 1, duplicated: 0, altered: 0 });
    expect((await drill({ spoilStore }, false)).missing).toBeGreaterThan(0);
  });

  test('a value that changed on the way', async () => {
    const spoilStore = spoilWrite((points, level) =>
      points.map((point) => (point === level ? { ...point, value: Number(point.value) + 0.001 } : point)),
    );
    expect(await drill({ spoilStore })).toMatchObject({ missing: 0, duplicated: 0, altered: 1 });
  });

  test('a quality that changed on the way', async () => {
    const spoilStore = spoilWrite((points, level) =>
      points.map((point) => (point === level ? { ...point, code: 1 } : point)),
    );
    expect(await drill({ spoilStore })).toMatchObject({ missing: 0, duplicated: 0, altered: 1 });
  });

  test('a time that changed on the way', async () => {
    const spoilStore = spoilWrite((points, level) =>
      points.map((point) => (point === level ? { ...point, at: point.at + 7 } : point)),
    );
    expect(await drill({ spoilStore })).toMatchObject({ missing: 0, duplicated: 0, altered: 1 });
  });

  test('a sample that is there twice, under two times', async () => {
    const spoilStore = spoilWrite((points, level) => [...points, { ...level, at: level.at + 7 }]);
    expect(await drill({ spoilStore })).toMatchObject({ missing: 0, duplicated: 1, altered: 0 });
  });

  test('a record that the outbox took and does not have', async () => {
    const spoilOutbox = spoilAppend(() => []);
    expect((await drill({ spoilOutbox })).missing).toBeGreaterThan(0);
    expect((await drill({ spoilOutbox }, false)).missing).toBeGreaterThan(0);
  });

  test('a sample that the outbox altered', async () => {
    const spoilOutbox = spoilAppend((drafts) =>
      drafts.map((draft) => ({
        ...draft,
        samples: draft.samples.map((sample) => (isLevel(sample) ? { ...sample, value: 9 } : sample)),
      })),
    );
    expect(await drill({ spoilOutbox })).toMatchObject({ missing: 0, duplicated: 0, altered: 1 });
  });

  test('a power cut that takes more than the seconds that it may', async () => {
    const kinds = ['powerCut'] as const;
    expect(await drill({ kinds })).toMatchObject({ missing: 0, duplicated: 0, altered: 0 });
    const never = { ok: false, fault: { code: 'OUTBOX_FAILED', message: 'spoilt' } } as const;
    let starts = 0;
    const spoilOutbox = (outbox: Outbox): void => {
      starts += 1;
      if (starts === 1) outbox.sync = () => never;
    };
    expect((await drill({ kinds, spoilOutbox })).missing).toBeGreaterThan(0);
  });
});
