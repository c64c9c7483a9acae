import { beforeEach, describe, expect, test } from 'vitest';
import type { CounterEvent } from '#domain/counter-event.js';
import { QUARTER_MS, type RollupSpan, type WindowRollup } from '#domain/series-rollup.js';
import { loadMeterBirth } from '#tests/support/load-meter-birth.js';
import { createMemoryRollups, type MemoryRollups } from '#tests/support/memory-rollups.js';
import { createMemoryStore, type MemoryStore } from '#tests/support/memory-store.js';
import { VirtualTime } from '#tests/support/virtual-time.js';
import type { Point, PostDay } from '../ports.js';
import { createMarks, DAY_MS, type Marks } from './marks.js';
import { createRefresher, type Refresher } from './refresher.js';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const NOW = Date.UTC(2026, 5, 21, 5);
const NOON_OF_YESTERDAY = NOW - 22 * HOUR;
const POST = 'langar';

const BIRTH = loadMeterBirth(NOW);

let time: VirtualTime;
let store: MemoryStore;
let rollups: MemoryRollups;
let rawSince: number;
let events: CounterEvent[];
let durable: Map<string, PostDay>;
let commits: number;
let marks: Marks;
let refresher: Refresher;

const registry = {
  marks: () => [...durable.values()],
  addMarks: (added: readonly PostDay[]) => {
    commits += 1;
    for (const mark of added) durable.set(`${mark.post}/${mark.day}`, mark);
  },
  clearMarks: (gone: readonly PostDay[]) => {
    for (const { post, day } of gone) durable.delete(`${post}/${day}`);
  },
};

/** What a server does when it starts, with what the one before left on its disk. */
function startServer(zone = 'Asia/Dushanbe'): void {
  marks = createMarks(registry);
  refresher = createRefresher({
    posts: [{ id: POST, zone }],
    birthOf: () => BIRTH,
    counterEvents: { ofSeries: () => events },
    rawSince: () => rawSince,
    store,
    rollups,
    marks,
    clock: time,
    scheduler: time,
    log: { info() {}, warn() {}, error() {} },
  });
  refresher.start();
}

beforeEach(() => {
  time = new VirtualTime(NOW);
  store = createMemoryStore();
  rollups = createMemoryRollups();
  durable = new Map();
  commits = 0;
  rawSince = 0;
  events = [];
});

/** As the writer does. */
async function write(points: readonly Point[]): Promise<void> {
  const begun = marks.begin(points);
  if (!begun.ok) throw new Error(begun.fault.message);
  const written = await store.write(points);
  begun.value(written.ok ? points : []);
}

const point = (metric: string, at: number, value: number): Point => ({
  post: POST,
  device: 'meter',
  metric,
  at,
  value,
  code: 0,
});

/** One Wh each minute. */
const count = (from: number, to: number): Point[] =>
  Array.from({ length: (to - from) / MINUTE }, (_, i) =>
    point('load.energy', from + i * MINUTE, (from + i * MINUTE - NOW) / MINUTE + 1_000_000),
  );

const windowsOf = (metric: string, span: RollupSpan): WindowRollup[] =>
  [...(rollups.windows.get(`${POST}/meter/${metric}/${span}`)?.values() ?? [])].sort((a, b) => a.from - b.from);

const savesOf = (metric: string): [number, number][] =>
  [...rollups.quarterSaves]
    .filter(([key]) => key.includes(`/${metric}/`))
    .map(([key, saves]): [number, number] => [Number(key.split('/').at(-1)), saves])
    .sort(([a], [b]) => a - b);

const increases = (windows: readonly WindowRollup[]): (number | null)[] =>
  windows.map((window) => (window.kind === 'counter' ? window.increase : null));

describe('the refresher', () => {
  test('rolls up exactly the quarters that three late days touch, each once', async () => {
    startServer();
    const from = NOW - 5 * DAY_MS;
    const late = count(from, from + 3 * DAY_MS);
    for (let i = 0; i < late.length; i += 720) await write(late.slice(i, i + 720));
    await time.advance(MINUTE);
    const saves = savesOf('load.energy');
    // Readings hold for so long behind and before them.
    expect(saves[0]?.[0]).toBe(from - QUARTER_MS);
    expect(saves.at(-1)?.[0]).toBe(from + 3 * DAY_MS);
    expect(saves).toHaveLength(3 * 96 + 2);
    expect(new Set(saves.map(([, times]) => times))).toEqual(new Set([1]));
    expect(refresher.counters()).toMatchObject({ rollupRefreshes: 1, rollupQuarters: 290, rollupMarks: 0 });
    expect(durable.size).toBe(0);
    await time.advance(HOUR);
    expect(refresher.counters().rollupRefreshes).toBe(1);
  });

  test('works in rounds of a limited size, without a pause while more is due', async () => {
    startServer();
    const from = NOON_OF_YESTERDAY - 60 * DAY_MS;
    const hourly = Array.from({ length: 50 * 24 * 4 }, (_, i) => point('load.energy', from + i * QUARTER_MS, i));
    await write(hourly);
    const sizes: number[] = [];
    const { rollUp } = store;
    store.rollUp = (questions) => {
      sizes.push(questions.reduce((sum, question) => sum + (question.to - question.from) / QUARTER_MS, 0));
      return rollUp(questions);
    };
    await time.advance(10_000);
    // A round of 2000 quarters, and those around and behind it.
    expect(Math.max(...sizes)).toBeLessThanOrEqual(2003);
    expect(sizes.filter((size) => size > 100)).toHaveLength(3);
    const sum = increases(windowsOf('load.energy', 'year')).reduce((a: number, b) => a + (b ?? 0), 0);
    expect(sum).toBe(hourly.length - 1);
  });

  test('gives totals of days, months and years that add up', async () => {
    startServer();
    const from = Date.UTC(2025, 11, 29);
    await write(count(from, from + 5 * DAY_MS));
    await time.advance(MINUTE);
    const total = 5 * 1440 - 1;
    for (const span of ['quarter', 'day', 'month', 'year'] as const) {
      const sum = increases(windowsOf('load.energy', span)).reduce((a: number, b) => a + (b ?? 0), 0);
      expect(sum).toBe(total);
    }
    expect(windowsOf('load.energy', 'year').map((window) => window.from)).toEqual([
      Date.UTC(2024, 11, 31, 19),
      Date.UTC(2025, 11, 31, 19),
    ]);
  });

  test('knows days of 23 and of 25 hours', async () => {
    startServer('Europe/Berlin');
    for (const start of [Date.UTC(2026, 2, 28, 23), Date.UTC(2025, 9, 25, 22)])
      await write(count(start - HOUR, start + 27 * HOUR));
    await time.advance(MINUTE);
    const days = windowsOf('load.energy', 'day');
    const hours = days.map((day) => (day.to - day.from) / HOUR);
    const found = days.map((day, i) => [hours[i], increases([day])[0]]);
    expect(found).toContainEqual([25, 1500]);
    expect(found).toContainEqual([23, 1380]);
  });

  test('corrects the step of a counter that follows late points, however far away', async () => {
    startServer();
    const early = NOW - 40 * DAY_MS;
    await write([...count(early, early + HOUR), ...count(NOW - DAY_MS, NOW - DAY_MS + HOUR)]);
    await time.advance(MINUTE);
    const sum = (): number => increases(windowsOf('load.energy', 'year')).reduce((a: number, b) => a + (b ?? 0), 0);
    const before = sum();
    const stepOf = (): number | null | undefined =>
      increases(windowsOf('load.energy', 'quarter').filter(({ from }) => from === NOW - DAY_MS))[0];
    expect(stepOf()).toBeGreaterThan(39 * 1440 - 61);
    await write(count(NOW - 20 * DAY_MS, NOW - 20 * DAY_MS + HOUR));
    await time.advance(MINUTE);
    expect(stepOf()).toBe(19 * 1440 - 59 + 14);
    expect(sum()).toBe(before);
  });

  test('waits for the end of a running quarter, and for what a value still says in the next one', async () => {
    startServer();
    await write([point('load.power', NOW + 1, 500), point('load.power', NOW + 14 * MINUTE, 700)]);
    await time.advance(16 * MINUTE);
    expect(windowsOf('load.power', 'quarter')).toEqual([]);
    await time.advance(2 * MINUTE);
    expect(windowsOf('load.power', 'quarter')).toMatchObject([{ from: NOW, count: 2, max: 700 }]);
    expect(durable.size).toBe(1);
    await time.advance(HOUR);
    expect(windowsOf('load.power', 'quarter')).toMatchObject([
      { from: NOW, count: 2 },
      { from: NOW + QUARTER_MS, count: 0, mean: 700 },
    ]);
    expect(durable.size).toBe(0);
    expect(refresher.counters().rollupSeriesWaiting).toBe(0);
  });

  test('knows of a silence behind the quarters that it rolls up', async () => {
    startServer();
    const day = NOW - DAY_MS;
    await write([point('load.power', day + 3 * QUARTER_MS - 10 * MINUTE, 500)]);
    await time.advance(MINUTE);
    // What was there before is rolled up again for its sake, and nothing came behind it for an hour.
    await write([point('load.power', day + QUARTER_MS + MINUTE, 400)]);
    await time.advance(MINUTE);
    expect(windowsOf('load.power', 'quarter').at(-1)).toMatchObject({ from: day + 2 * QUARTER_MS, coverage: 6 / 15 });
  });

  test('loses no refresh when the process ends between the store and the rollups', async () => {
    startServer();
    await write(count(NOW - 2 * DAY_MS, NOW - DAY_MS));
    await refresher.stop();
    expect(rollups.windows.size).toBe(0);
    startServer();
    await time.advance(MINUTE);
    const sum = increases(windowsOf('load.energy', 'quarter')).reduce((a: number, b) => a + (b ?? 0), 0);
    expect(sum).toBe(1439);
    expect(durable.size).toBe(0);
  });

  test('keeps the mark of a day to which a write is on its way', async () => {
    startServer();
    const at = NOW - DAY_MS;
    await write(count(at, at + HOUR));
    const begun = marks.begin(count(at, at + MINUTE));
    await time.advance(MINUTE);
    expect(refresher.counters().rollupRefreshes).toBe(1);
    expect(durable.size).toBe(1);
    if (begun.ok) begun.value([]);
    await write(count(at + HOUR, at + 2 * HOUR));
    await time.advance(MINUTE);
    expect(durable.size).toBe(0);
    expect(commits).toBe(1);
  });

  test('keeps rollups of points that are gone when a late one comes', async () => {
    startServer();
    await write(count(NOW - DAY_MS, NOW - DAY_MS + HOUR));
    await time.advance(MINUTE);
    const before = windowsOf('load.energy', 'quarter');
    store.points.clear();
    rawSince = NOW;
    await write([
      ...count(NOW - DAY_MS + 16 * MINUTE, NOW - DAY_MS + 17 * MINUTE),
      ...count(NOW - 2 * HOUR, NOW - HOUR),
    ]);
    await time.advance(MINUTE);
    expect(windowsOf('load.energy', 'quarter').slice(0, before.length)).toEqual(before);
    expect(windowsOf('load.energy', 'quarter').map((window) => window.count)).toEqual([15, 15, 15, 15, 15, 15, 15, 15]);
  });

  test('asks with what people said of a counter, and again around an event', async () => {
    startServer();
    const at = NOON_OF_YESTERDAY;
    await write(count(at - HOUR, at + HOUR));
    await time.advance(MINUTE);
    events = [{ at, kind: 'swap', closing: 5, opening: 0 }];
    const asked: object[] = [];
    const { rollUp } = store;
    store.rollUp = (questions) => {
      asked.push(...questions);
      return rollUp(questions);
    };
    refresher.touch(POST, 'meter', 'load.energy', at);
    expect(durable.size).toBe(1);
    await time.advance(MINUTE);
    expect(asked[0]).toMatchObject({ counter: { events }, from: at - QUARTER_MS });
    expect(durable.size).toBe(0);
  });

  test('gives totals that are right to the last digit once a swap is told', async () => {
    startServer();
    const at = NOON_OF_YESTERDAY;
    const shift = (at - 7 * MINUTE - NOW) / MINUTE + 1_000_000;
    const swapped = count(at - 7 * MINUTE, at + HOUR).map((old) => ({ ...old, value: Number(old.value) - shift }));
    await write([...count(at - HOUR, at - 7 * MINUTE), ...swapped]);
    await time.advance(MINUTE);
    const sum = (): number => increases(windowsOf('load.energy', 'year')).reduce((a: number, b) => a + (b ?? 0), 0);
    expect(sum()).not.toBe(52.5 + 66);
    events = [{ at: at - 7 * MINUTE - 1, kind: 'swap', closing: shift - 0.5, opening: 0 }];
    refresher.touch(POST, 'meter', 'load.energy', events[0]?.at ?? 0);
    await time.advance(MINUTE);
    expect(sum()).toBe(52.5 + 66);
    expect(windowsOf('load.energy', 'year')).toMatchObject([{ estimated: false }]);
  });

  test('tries again what a store did not answer', async () => {
    startServer();
    rollups.fault = { code: 'STORE_UNAVAILABLE', message: 'the disk is gone' };
    await write(count(NOW - DAY_MS, NOW - DAY_MS + HOUR));
    await time.advance(MINUTE);
    expect(refresher.counters().rollupFaults).toBeGreaterThan(0);
    expect(durable.size).toBe(1);
    rollups.fault = undefined;
    await time.advance(MINUTE);
    expect(increases(windowsOf('load.energy', 'year'))).toEqual([59]);
    expect(refresher.counters().rollupRefreshes).toBe(1);
  });
});

test('a registry that cannot mark stops the write', () => {
  const full = Object.assign(new Error('no space'), { code: 'STORE_FULL' });
  const broken = createMarks({
    marks: () => [],
    addMarks: () => {
      throw full;
    },
    clearMarks: () => {},
  });
  expect(broken.begin(count(NOW, NOW + MINUTE))).toEqual({
    ok: false,
    fault: { code: 'STORE_FULL', message: 'no space' },
  });
});
