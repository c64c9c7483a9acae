import { beforeEach, describe, expect, test } from 'vitest';
import type { CounterEvent } from '#domain/counter-event.js';
import { combineWindows } from '#domain/rollup-combine.js';
import { QUARTER_MS, type RollupSpan, type WindowRollup } from '#domain/series-rollup.js';
import { dayWindow, monthWindow, type Window, yearWindow } from '#domain/window.js';
import { loadMeterBirth } from '#tests/support/load-meter-birth.js';
import { createMemoryRollups } from '#tests/support/memory-rollups.js';
import { createMemoryStore, type MemoryStore } from '#tests/support/memory-store.js';
import { VirtualTime } from '#tests/support/virtual-time.js';
import type { Point, PostDay, RollupStore } from '../ports.js';
import { windowsOver } from '../rollup/rebuild.js';
import { createRollupService, type RollupService } from '../rollup/rollup-service.js';
import { specOf } from '../rollup/series-spec.js';
import { createWindowsReader, type WindowsReader } from './windows-reader.js';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const NOW = Date.UTC(2026, 2, 29, 5, 7);
const POST = 'langar';
/** The clocks of this zone change on the last day of the test. */
const ZONE = 'Europe/Berlin';
const POWER = { post: POST, device: 'meter', metric: 'load.power' };
const ENERGY = { post: POST, device: 'meter', metric: 'load.energy' };

const BIRTH = loadMeterBirth(NOW);

let time: VirtualTime;
let store: MemoryStore & RollupStore;
let events: CounterEvent[];
let marks: Map<string, PostDay>;
let service: RollupService;
let reader: WindowsReader;
let questions: Window[];

function startServer(withRollups = true): void {
  const counterEvents = { ofSeries: () => events };
  const posts = [{ id: POST, zone: ZONE }];
  const birthOf = () => BIRTH;
  service = createRollupService({
    posts,
    birthOf,
    counterEvents,
    retention: { rawDays: 400, quarterYears: 10 },
    store,
    registry: {
      marks: () => [...marks.values()],
      addMarks: (added) => {
        for (const mark of added) marks.set(`${mark.post}/${mark.day}`, mark);
      },
      clearMarks: (gone) => {
        for (const { post, day } of gone) marks.delete(`${post}/${day}`);
      },
    },
    clock: time,
    scheduler: time,
    log: { info() {}, warn() {}, error() {} },
  });
  service.start();
  const counted: typeof store.rollUp = (asked) => {
    questions.push(...asked);
    return store.rollUp(asked);
  };
  const saved = withRollups ? service.saved : undefined;
  reader = createWindowsReader({ posts, birthOf, counterEvents, store: { rollUp: counted }, saved, clock: time });
}

beforeEach(() => {
  time = new VirtualTime(NOW);
  const { readRollups, saveRollups } = createMemoryRollups();
  store = Object.assign(createMemoryStore(), { readRollups, saveRollups });
  events = [];
  marks = new Map();
  questions = [];
});

async function write(points: readonly Point[]): Promise<void> {
  const begun = service.watch?.begin(points);
  const written = await store.write(points);
  if (begun?.ok) begun.value(written.ok ? points : []);
}

const readingOf = (series: typeof POWER, at: number): number =>
  series === ENERGY ? Math.round((at - NOW) / MINUTE) + 1_000_000 : Math.round(500 + 400 * Math.sin(at / HOUR));

/** A sample each so many minutes. */
const sample = (series: typeof POWER, from: number, to: number, everyMs = 5 * MINUTE): Point[] =>
  Array.from({ length: Math.ceil((to - from) / everyMs) }, (_, i) => {
    const at = from + i * everyMs;
    return { ...series, at, value: readingOf(series, at), code: 0 };
  });

/** What the points alone say: quarters, and the longer windows from them. */
async function fromScratch(series: typeof POWER, span: RollupSpan, from: number, to: number): Promise<WindowRollup[]> {
  const now = time.now();
  const around = { quarter: undefined, day: dayWindow, month: monthWindow, year: yearWindow }[span];
  const windows = around && windowsOver({ from, to }, ZONE, around).filter((window) => window.from >= from);
  // Nothing is stored before.
  const all = { from: Math.max(from, START - 3 * DAY), to: Math.min(windows?.at(-1)?.to ?? to, now) };
  const spec = specOf(BIRTH, series, events);
  if (spec === undefined) throw new Error('unknown');
  const answer = await store.rollUp([{ series, ...spec, ...all, bucketMs: QUARTER_MS }]);
  if (!answer.ok) throw new Error(answer.fault.message);
  const quarters = answer.value[0]?.windows ?? [];
  if (windows === undefined) return [...quarters];
  return windows.flatMap(({ from, to }) => {
    const parts = quarters.filter((quarter) => quarter.from >= from && quarter.from < to);
    return combineWindows(parts, { from, to: Math.min(to, now) }, spec.kind) ?? [];
  });
}

/** Sums of means differ in the last digits by the order in which they were made. */
const rounded = (windows: readonly WindowRollup[]): unknown[] =>
  windows.map((window) =>
    Object.fromEntries(
      Object.entries(window).map(([key, value]) => [key, typeof value === 'number' ? Number(value.toFixed(6)) : value]),
    ),
  );

async function expectTrue(from: number, to: number): Promise<void> {
  for (const series of [POWER, ENERGY])
    for (const span of ['quarter', 'day', 'month', 'year'] as const) {
      const start =
        span === 'quarter' ? from : { day: dayWindow, month: monthWindow, year: yearWindow }[span](from, ZONE).from;
      const read = await reader.read(series, span, start, to);
      if (!read.ok) throw new Error(read.fault.message);
      expect(rounded(read.value), `${series.metric} by ${span}`).toEqual(
        rounded(await fromScratch(series, span, start, to)),
      );
    }
}

const START = Date.UTC(2026, 2, 27);

describe('windows', () => {
  test('equal what the points say at any moment, also while late data arrives', async () => {
    startServer();
    await write([...sample(POWER, START, NOW), ...sample(ENERGY, START, NOW)]);
    await expectTrue(START, NOW + HOUR);
    await time.advance(10 * MINUTE);
    await expectTrue(START, NOW + HOUR);
    // Live data goes on, and a day that was carried by hand comes in parts.
    const late = START - 2 * DAY;
    for (let step = 0; step < 6; step += 1) {
      const now = time.now();
      await write([...sample(POWER, now - MINUTE, now, MINUTE), ...sample(ENERGY, now - MINUTE, now, MINUTE)]);
      const part = late + step * 3 * HOUR;
      await write([...sample(POWER, part, part + 3 * HOUR), ...sample(ENERGY, part + HOUR, part + 3 * HOUR)]);
      await expectTrue(late - DAY, now + HOUR);
      await time.advance(7000);
      await expectTrue(late - DAY, now + HOUR);
    }
    await time.advance(HOUR);
    await expectTrue(late - DAY, NOW + DAY);
  });

  test('are true at once when a person corrects a counter, and behind a late reading far before the next', async () => {
    startServer();
    await write(sample(ENERGY, START, START + 2 * HOUR));
    await write(sample(ENERGY, NOW - 2 * HOUR, NOW));
    await time.advance(10 * MINUTE);
    await write([{ ...ENERGY, at: START + 26 * HOUR, value: readingOf(ENERGY, START + 26 * HOUR), code: 0 }]);
    await expectTrue(START, NOW + HOUR);
    events = [{ at: START + HOUR, kind: 'swap', closing: 2_000_000, opening: readingOf(ENERGY, START + HOUR) }];
    service.touch(POST, 'meter', 'load.energy', START + HOUR);
    await expectTrue(START, NOW + HOUR);
    await time.advance(10 * MINUTE);
    await expectTrue(START, NOW + HOUR);
  });

  test('are true after a start that found marks, and without any rollups', async () => {
    startServer();
    await write([...sample(POWER, START, NOW), ...sample(ENERGY, START, NOW)]);
    await time.advance(10 * MINUTE);
    await write(sample(ENERGY, START - DAY, START - DAY + HOUR));
    await service.stop();
    startServer();
    await expectTrue(START - DAY, NOW + HOUR);
    await service.stop();
    startServer(false);
    await expectTrue(START - DAY, NOW + HOUR);
  });

  test('are read from what is saved, but for what is newest', async () => {
    startServer();
    await write(sample(POWER, START, NOW));
    await time.advance(10 * MINUTE);
    questions = [];
    await reader.read(POWER, 'day', dayWindow(START, ZONE).from, NOW);
    expect(Math.min(...questions.map(({ from }) => from))).toBeGreaterThan(NOW - HOUR);
    await reader.read(POWER, 'quarter', START, NOW - DAY);
    expect(Math.min(...questions.map(({ from }) => from))).toBeGreaterThan(NOW - HOUR);
  });

  test('are read again when data came meanwhile to what was read as saved', async () => {
    startServer();
    await write(sample(ENERGY, START, NOW - DAY));
    await time.advance(10 * MINUTE);
    const { rollUp } = store;
    let isFirst = true;
    store.rollUp = async (asked) => {
      if (isFirst) {
        isFirst = false;
        await write([{ ...ENERGY, at: NOW - DAY + MINUTE, value: 1_100_000, code: 0 }]);
      }
      return rollUp(asked);
    };
    const read = await reader.read(ENERGY, 'quarter', START, NOW + HOUR);
    store.rollUp = rollUp;
    expect(read).toEqual({ ok: true, value: await fromScratch(ENERGY, 'quarter', START, NOW + HOUR) });
  });

  test('are closed once they are over and nothing waits before their end', async () => {
    startServer();
    await write(sample(ENERGY, START, NOW));
    expect(reader.isClosed(ENERGY, START + DAY)).toBe(false);
    await time.advance(10 * MINUTE);
    expect(reader.isClosed(ENERGY, START + DAY)).toBe(true);
    expect(reader.isClosed(ENERGY, NOW + HOUR)).toBe(false);
    await write(sample(ENERGY, START - DAY, START - DAY + HOUR));
    expect(reader.isClosed(ENERGY, START + DAY)).toBe(false);
    expect(reader.isClosed(ENERGY, START - 2 * DAY)).toBe(true);
  });

  test('of a series that nobody knows are none', async () => {
    startServer();
    expect(await reader.read({ ...POWER, metric: 'no.such' }, 'day', START, NOW)).toEqual({ ok: true, value: [] });
  });

  test('say so when the store does not answer', async () => {
    startServer();
    store.fault = { code: 'STORE_UNAVAILABLE', message: 'the disk is gone' };
    expect(await reader.read(POWER, 'day', START, NOW)).toMatchObject({ ok: false });
  });
});
