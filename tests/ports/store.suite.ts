// What every store must do, whatever is behind it.
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { REASONS } from '#domain/quality.js';
import type { Value } from '#domain/reading.js';
import type { Point, SeriesName, Store } from '#server/ports.js';

export interface StoreUnderTest {
  /** Opens an empty store. */
  open(): Promise<Store>;
  /** Opens what the last opened store has written. */
  reopen(): Promise<Store>;
  /** Makes the last opened store unreachable. */
  breakIt(): Promise<void>;
  /** Makes it reachable again; `undefined` where that takes opening it anew. */
  readonly repairIt?: () => Promise<void>;
}

const T0 = Date.UTC(2026, 0, 15, 6);
const soc: SeriesName = { post: 'kyzyl-art', device: 'inverter-1', metric: 'battery.soc' };
const state: SeriesName = { post: 'kyzyl-art', device: 'pump-1', metric: 'pump.state' };

function point(series: SeriesName, at: number, value: Value, code = 0): Point {
  return { ...series, at, value, code };
}

/** Runs the suite; `prepare` and `tidyUp` frame it (a server to start and stop). */
export function describeStore(
  name: string,
  under: StoreUnderTest,
  frame: { prepare?: () => Promise<void>; tidyUp?: () => Promise<void> } = {},
): void {
  describe(name, () => {
    let store: Store;
    beforeAll(async () => frame.prepare?.());
    afterAll(async () => frame.tidyUp?.());
    beforeEach(async () => {
      store = await under.open();
    });
    afterEach(async () => store.close());

    const write = async (...points: Point[]): Promise<void> =>
      expect(await store.write(points)).toEqual({ ok: true, value: [] });
    const all = async (series: SeriesName): Promise<readonly Point[]> => {
      const result = await store.read(series, 0, Date.UTC(2199, 0));
      if (!result.ok) throw new Error(result.fault.message);
      return result.value;
    };

    test('what was written is read, in order of time, whatever the order of writing', async () => {
      const points = [3, 1, 2].map((n) => point(soc, T0 + n * 10_000, 50 + n));
      await write(...points);
      expect(await all(soc)).toEqual([...points].sort((a, b) => a.at - b.at));
    });

    test('writing the same points again changes nothing', async () => {
      const points = [point(soc, T0, 50), point(soc, T0 + 1, 51.5), point(state, T0, 'running')];
      await write(...points);
      await write(...points);
      await write(...points, ...points);
      expect(await all(soc)).toEqual(points.slice(0, 2));
      expect(await all(state)).toEqual(points.slice(2));
    });

    test('the last write of a point wins, also within one write', async () => {
      await write(point(soc, T0, 50));
      await write(point(soc, T0, 40));
      expect(await all(soc)).toEqual([point(soc, T0, 40)]);
      await write(point(soc, T0, 30), point(soc, T0, 20));
      expect(await all(soc)).toEqual([point(soc, T0, 20)]);
      const none = point(soc, T0, null, REASONS.torn.code);
      await write(point(soc, T0, 10), none);
      expect(await all(soc)).toEqual([none]);
      await write(none, point(soc, T0, 5));
      expect(await all(soc)).toEqual([point(soc, T0, 5)]);
    });

    test('late data takes its place between what is there', async () => {
      await write(point(soc, T0, 50), point(soc, T0 + 86_400_000, 60));
      await write(point(soc, T0 - 400 * 86_400_000, 1), point(soc, T0 + 3_600_000, 55));
      expect((await all(soc)).map(({ value }) => value)).toEqual([1, 50, 55, 60]);
    });

    test('numbers come back bit for bit', async () => {
      const numbers = [
        0,
        -1,
        0.1,
        1 / 3,
        1e-12,
        123456789012.345,
        2 ** 53,
        -(2 ** 53),
        Math.fround(0.1),
        1.7e308,
        5e-324,
      ];
      await write(...numbers.map((value, i) => point(soc, T0 + i, value)));
      expect((await all(soc)).map(({ value }) => value)).toEqual(numbers);
    });

    test('words come back letter for letter', async () => {
      const words = [
        'running',
        '',
        ' a, b=c ',
        'say "no"',
        'C:\\x',
        'ends in \\',
        'it’s Қизил-Арт ☀',
        'two\nlines',
        "o'clock",
      ];
      await write(...words.map((value, i) => point(state, T0 + i, value)));
      expect((await all(state)).map(({ value }) => value)).toEqual(words);
    });

    test('a reading without value keeps its reason', async () => {
      const points = [
        point(soc, T0, null, REASONS.timeout.code),
        point(soc, T0 + 1, 12, REASONS.outOfRange.code),
        point(state, T0, null, REASONS.exception.code),
      ];
      await write(...points);
      expect(await all(soc)).toEqual(points.slice(0, 2));
      expect(await all(state)).toEqual(points.slice(2));
    });

    test('a point may lose its value, and get one', async () => {
      await write(point(soc, T0, 50), point(soc, T0 + 1, null, REASONS.garbled.code));
      await write(point(soc, T0, null, REASONS.torn.code), point(soc, T0 + 1, 51));
      expect(await all(soc)).toEqual([point(soc, T0, null, REASONS.torn.code), point(soc, T0 + 1, 51)]);
      expect(await store.lastBefore(soc, T0 + 1)).toEqual({ ok: true, value: undefined });
    });

    test('a read takes its first moment and leaves its last', async () => {
      await write(...[0, 1, 2, 3].map((n) => point(soc, T0 + n, n)));
      const result = await store.read(soc, T0 + 1, T0 + 3);
      expect(result.ok && result.value.map(({ at }) => at - T0)).toEqual([1, 2]);
      expect(await store.read(soc, T0 + 3, T0 + 3)).toEqual({ ok: true, value: [] });
    });

    test('series do not mix: posts, devices and metrics with names of one another', async () => {
      const names: SeriesName[] = [
        soc,
        { ...soc, post: 'kyzyl' },
        { ...soc, device: 'inverter' },
        { ...soc, device: 'inverter-1-2' },
        { ...soc, metric: 'battery.soh' },
      ];
      await write(...names.map((name, i) => point(name, T0, i)));
      for (const [i, name] of names.entries()) expect(await all(name)).toEqual([point(name, T0, i)]);
      expect(await all({ ...soc, post: 'nobody' })).toEqual([]);
    });

    test('the last point before a moment is the newest one with a value', async () => {
      await write(
        point(soc, T0, 1),
        point(soc, T0 + 10, 2),
        point(soc, T0 + 20, null, REASONS.timeout.code),
        point(soc, T0 + 30, 3),
      );
      const last = async (at: number): Promise<unknown> => store.lastBefore(soc, at);
      expect(await last(T0 + 30)).toEqual({ ok: true, value: point(soc, T0 + 10, 2) });
      expect(await last(T0 + 31)).toEqual({ ok: true, value: point(soc, T0 + 30, 3) });
      expect(await last(T0)).toEqual({ ok: true, value: undefined });
      expect(await store.lastBefore({ ...soc, post: 'nobody' }, T0)).toEqual({ ok: true, value: undefined });
    });

    test('the latest point of every series of a post, with or without value', async () => {
      const elsewhere = point({ ...soc, post: 'langar' }, T0 + 99, 99);
      const second = { ...soc, device: 'inverter-2' };
      await write(
        point(soc, T0, 1),
        point(soc, T0 + 10, null, REASONS.timeout.code),
        point(state, T0 + 5, 'off'),
        elsewhere,
      );
      await write(point(second, T0 + 7, 7), point(second, T0 + 3, 3), point(state, T0 + 4, 'on'));
      const result = await store.latest('kyzyl-art');
      const byName = (points: readonly Point[]): Point[] => [...points].sort((a, b) => (a.device < b.device ? -1 : 1));
      expect(result.ok && byName(result.value)).toEqual([
        point(soc, T0 + 10, null, REASONS.timeout.code),
        point(second, T0 + 7, 7),
        point(state, T0 + 5, 'off'),
      ]);
      expect(await store.latest('nobody')).toEqual({ ok: true, value: [] });
    });

    test('a value of a wrong type or a time out of the years is refused by its place; the others are stored', async () => {
      const points = [
        point(soc, T0, 1),
        point(soc, T0 + 1, 'high'),
        point(state, T0, 7),
        point(soc, 12, 3),
        point(soc, Date.UTC(2300, 0), 3),
        point(soc, T0 + 0.5, 3),
        point(soc, T0 + 2, Number.NaN),
        point(state, T0 + 1, 'running'),
      ];
      expect(await store.write(points)).toEqual({
        ok: true,
        value: [
          { index: 1, code: 'STORE_TYPE' },
          { index: 2, code: 'STORE_TYPE' },
          { index: 3, code: 'STORE_TIME' },
          { index: 4, code: 'STORE_TIME' },
          { index: 5, code: 'STORE_TIME' },
          { index: 6, code: 'STORE_TYPE' },
        ],
      });
      expect(await all(soc)).toEqual([points[0]]);
      expect(await all(state)).toEqual([points[7]]);
    });

    test('a metric outside the vocabulary keeps the type of its first value, for all posts and after reopening', async () => {
      const novel: SeriesName = { post: 'langar', device: 'thing', metric: 'novel.quantity' };
      await write(point(novel, T0, 1.5), point(novel, T0 + 1, null, REASONS.timeout.code));
      const other = point({ ...novel, post: 'kyzyl-art' }, T0, 'word');
      const refused = { ok: true, value: [{ index: 0, code: 'STORE_TYPE' }] };
      expect(await store.write([other])).toEqual(refused);
      await store.close();
      store = await under.reopen();
      expect(await store.write([other, point(novel, T0 + 40 * 86_400_000, 2)])).toEqual(refused);
      expect((await all(novel)).map(({ value }) => value)).toEqual([1.5, null, 2]);
    });

    test('a gap is told with its cause, also where that came long before what is asked for', async () => {
      const day = 86_400_000;
      await write(point(soc, T0 - 20 * day - 60_000, 50), point(soc, T0 - 20 * day, null, REASONS.expired.code));
      const job = {
        kind: 'gauge',
        from: T0,
        to: T0 + day,
        bucketMs: day,
        expectedEveryMs: 60_000,
        withGaps: true,
      } as const;
      const answers = await store.rollUp([{ series: soc, ...job }]);
      const gaps = [{ from: T0, to: T0 + day, code: REASONS.expired.code }];
      expect(answers).toEqual({ ok: true, value: [{ windows: [], gaps }] });
    });

    test('nothing at all can be written', async () => {
      await write();
    });

    test('thousands of points in one write', async () => {
      const points = Array.from({ length: 6000 }, (_, i) =>
        point(
          { ...soc, device: `inverter-${i % 4}`, metric: i % 3 === 0 ? 'pv.power' : 'battery.soc' },
          T0 + i * 10,
          i / 10,
        ),
      );
      await write(...points);
      const series = { ...soc, device: 'inverter-0', metric: 'pv.power' };
      expect(await all(series)).toEqual(points.filter((p) => p.device === series.device && p.metric === series.metric));
    });

    test('what was stored is there after closing and opening', async () => {
      await write(point(soc, T0, 50), point(state, T0, 'running'));
      await store.close();
      store = await under.reopen();
      expect(await all(soc)).toEqual([point(soc, T0, 50)]);
      const latest = await store.latest('kyzyl-art');
      expect(latest.ok && latest.value).toHaveLength(2);
    });

    test('a store that cannot be reached says so in every answer', async () => {
      await write(point(soc, T0, 50));
      await under.breakIt();
      const answers = [
        await store.write([point(soc, T0 + 1, 51)]),
        await store.read(soc, 0, T0),
        await store.lastBefore(soc, T0),
        await store.latest('kyzyl-art'),
      ];
      for (const answer of answers)
        expect(answer).toMatchObject({
          ok: false,
          fault: { code: 'STORE_UNAVAILABLE', message: expect.stringMatching(/.+/) },
        });
      if (under.repairIt === undefined) store = await under.reopen();
      else await under.repairIt();
      await write(point(soc, T0 + 1, 51));
      expect((await all(soc)).map(({ value }) => value)).toEqual([50, 51]);
    });
  });
}
