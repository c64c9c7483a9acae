// What every store of rollups must do, whatever is behind it.
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { CounterWindow, GaugeWindow, StateWindow, WindowRollup } from '#domain/series-rollup.js';
import type { Point, RollupStore, SeriesName } from '#server/ports.js';

export type RollupStoreUnderTest = RollupStore & {
  /** Makes a series known, where a store asks for that. */
  write?(points: readonly Point[]): Promise<unknown>;
  close(): Promise<void>;
};

const QUARTER = 900_000;
const T0 = Date.UTC(2026, 0, 31, 18);
const soc: SeriesName = { post: 'kyzyl-art', device: 'inverter-1', metric: 'battery.soc' };
const energy: SeriesName = { post: 'kyzyl-art', device: 'meter-1', metric: 'load.energy' };
const state: SeriesName = { post: 'langar', device: 'pump-1', metric: 'pump.state' };

function gauge(n: number, mean: number | null = n / 3): GaugeWindow {
  const from = T0 + n * QUARTER;
  const ends =
    mean === null ? { min: null, max: null, first: null, last: null } : { min: n, max: n + 0.1, first: 1, last: -0.5 };
  return { kind: 'gauge', from, to: from + QUARTER, count: n, coverage: 1 / 7, mean, ...ends };
}

function counter(n: number, increase: number | null): CounterWindow {
  const from = T0 + n * QUARTER;
  return {
    kind: 'counter',
    from,
    to: from + QUARTER,
    count: 3,
    coverage: 1,
    increase,
    estimated: n % 2 === 1,
    first: 123456.7,
    last: null,
  };
}

function stateWindow(n: number, timeInMs: Record<string, number>): StateWindow {
  const from = T0 + n * QUARTER;
  const [first = null] = Object.keys(timeInMs);
  return { kind: 'state', from, to: from + QUARTER, count: 1, coverage: 0.5, timeInMs, first, last: first };
}

/** Runs the suite; `prepare` and `tidyUp` frame it (a server to start and stop). */
export function describeRollupStore(
  name: string,
  under: { open(): Promise<RollupStoreUnderTest>; breakIt(): Promise<void> },
  frame: { prepare?: () => Promise<void>; tidyUp?: () => Promise<void> } = {},
): void {
  describe(name, () => {
    let store: RollupStoreUnderTest;
    beforeAll(async () => frame.prepare?.());
    afterAll(async () => frame.tidyUp?.());
    beforeEach(async () => {
      store = await under.open();
      await store.write?.([
        { ...soc, at: T0, value: 1, code: 0 },
        { ...energy, at: T0, value: 1, code: 0 },
        { ...state, at: T0, value: 'on', code: 0 },
      ]);
    });
    afterEach(async () => store.close());

    const save = async (
      series: SeriesName,
      windows: readonly WindowRollup[],
      from = T0 - 400 * QUARTER,
      to = T0 + 4000 * QUARTER,
    ): Promise<void> =>
      expect(await store.saveRollups([{ series, span: 'quarter', windows, from, to }])).toMatchObject({ ok: true });
    const all = async (series: SeriesName, from = T0 - 4e9, to = T0 + 40e9): Promise<readonly WindowRollup[]> => {
      const read = await store.readRollups(series, 'quarter', from, to);
      if (!read.ok) throw new Error(read.fault.message);
      return read.value;
    };

    test('what was saved is read, by start, with all that may be missing in it', async () => {
      const windows = [gauge(0), gauge(1, null), gauge(5, 1e-12), gauge(200)];
      await save(soc, windows);
      expect(await all(soc)).toEqual(windows);
      const steps = [counter(0, null), counter(1, 0), counter(2, 0.1 + 0.2)];
      await save(energy, steps);
      expect(await all(energy)).toEqual(steps);
    });

    test('states keep their names, whatever these are', async () => {
      const windows = [
        stateWindow(0, { on: 5, 'say "no", please': 7 }),
        stateWindow(1, { 'it’s Қизил-Арт ☀': 900_000 }),
        stateWindow(2, {}),
        stateWindow(3, { '': 12, __proto__: 3 } as Record<string, number>),
      ];
      await save(state, windows);
      expect(await all(state)).toEqual(windows);
    });

    test('saving the same twice changes nothing', async () => {
      await save(soc, [gauge(0), gauge(1)]);
      await save(soc, [gauge(0), gauge(1)]);
      expect(await all(soc)).toEqual([gauge(0), gauge(1)]);
    });

    test('what was there within the range is replaced as a whole, and nothing around it', async () => {
      await save(
        soc,
        [0, 1, 2, 3, 300].map((n) => gauge(n)),
      );
      await save(soc, [gauge(2, 77)], T0 + QUARTER, T0 + 3 * QUARTER);
      expect(await all(soc)).toEqual([gauge(0), gauge(2, 77), gauge(3), gauge(300)]);
      await save(soc, [], T0 - QUARTER, T0 + QUARTER);
      expect(await all(soc)).toEqual([gauge(2, 77), gauge(3), gauge(300)]);
    });

    test('a read takes its first moment and leaves its last', async () => {
      await save(
        soc,
        [0, 1, 2, 3].map((n) => gauge(n)),
      );
      expect(await all(soc, T0 + QUARTER, T0 + 3 * QUARTER)).toEqual([gauge(1), gauge(2)]);
      expect(await all(soc, T0 + 3 * QUARTER, T0 + 3 * QUARTER)).toEqual([]);
    });

    test('series and spans do not mix', async () => {
      const day: GaugeWindow = { ...gauge(0), to: T0 + 86_400_000 };
      await store.saveRollups([
        { series: soc, span: 'quarter', windows: [gauge(0)], from: T0, to: T0 + QUARTER },
        { series: soc, span: 'day', windows: [day], from: T0, to: T0 + 86_400_000 },
        { series: soc, span: 'year', windows: [{ ...day, to: T0 + 1e10 }], from: T0, to: T0 + 1e10 },
        { series: energy, span: 'day', windows: [counter(0, 5)], from: T0, to: T0 + 86_400_000 },
      ]);
      expect(await store.readRollups(soc, 'day', T0, T0 + 1)).toEqual({ ok: true, value: [day] });
      expect(await store.readRollups(soc, 'month', T0, T0 + 1)).toEqual({ ok: true, value: [] });
      expect(await store.readRollups(soc, 'year', T0, T0 + 1)).toMatchObject({ value: [{ to: T0 + 1e10 }] });
      expect(await store.readRollups(energy, 'day', T0, T0 + 1)).toEqual({ ok: true, value: [counter(0, 5)] });
      expect(await all({ ...soc, post: 'langar' })).toEqual([]);
    });

    test('a metric that became another kind is read as it is now', async () => {
      await save(soc, [gauge(0), gauge(1)]);
      await save(soc, [counter(1, 4)], T0 + QUARTER, T0 + 2 * QUARTER);
      expect(await all(soc)).toEqual([gauge(0), counter(1, 4)]);
    });

    test('a store that cannot be reached says so', async () => {
      await under.breakIt();
      for (const answer of [
        await store.saveRollups([{ series: soc, span: 'quarter', windows: [gauge(0)], from: T0, to: T0 + QUARTER }]),
        await store.readRollups(soc, 'quarter', T0, T0 + 1),
      ])
        expect(answer).toMatchObject({ ok: false, fault: { code: 'STORE_UNAVAILABLE' } });
    });
  });
}
