import { beforeEach, describe, expect, test } from 'vitest';
import { FakeIngest, FakeStore, KYZYL_ART, meterBirth } from '#tests/api/fake-server.js';
import { VirtualTime } from '#tests/support/virtual-time.js';
import type { PostConfig } from '../config.js';
import type { Point } from '../ports.js';
import { fleetTotals } from './parts.js';
import type { RollupService } from './rollup-service.js';
import { createTotals, type TotalsService } from './totals.js';
import { emptyTotals } from './totals-reader.js';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
/** 10:00 in Dushanbe on the 21st; its midnight was 19:00 UTC of the day before. */
const NOW = Date.UTC(2026, 5, 21, 5);
const MIDNIGHT = Date.UTC(2026, 5, 20, 19);
const MONTH = Date.UTC(2026, 4, 31, 19);

let time: VirtualTime;
let ingest: FakeIngest;
let store: FakeStore;
let totals: TotalsService;
let reads: number;
let rollups: Pick<RollupService, 'dayOf'> | undefined;
let warnings: object[];

beforeEach(() => {
  time = new VirtualTime(NOW);
  ingest = new FakeIngest();
  store = new FakeStore();
  reads = 0;
  rollups = undefined;
  warnings = [];
  ingest.know('kyzyl-art', { birth: meterBirth(), link: 'online' });
});

async function start(posts: readonly PostConfig[] = [KYZYL_ART]): Promise<void> {
  const counting = {
    read: (...args: Parameters<FakeStore['read']>) => {
      reads += 1;
      return store.read(...args);
    },
    lastBefore: (...args: Parameters<FakeStore['lastBefore']>) => store.lastBefore(...args),
  };
  totals = createTotals({
    posts,
    ingest,
    store: counting,
    ...(rollups !== undefined && { rollups }),
    clock: time,
    scheduler: time,
    log: { info() {}, warn: (fields) => warnings.push(fields), error() {} },
  });
  totals.start();
  await time.advance(10);
}

const energy = (value: number, at: number, post = 'kyzyl-art'): Point => ({
  post,
  device: 'meter-1',
  metric: 'load.energy',
  value,
  code: 0,
  at,
});

/** A counter that rises by one Wh per minute, sampled every minute. */
function count(from: number, to: number, first = (from - MONTH) / MINUTE, post = 'kyzyl-art'): Point[] {
  return Array.from({ length: Math.floor((to - from) / MINUTE) }, (_, index) =>
    energy(first + index, from + index * MINUTE, post),
  );
}

describe('totals of a post', () => {
  test('today begins at the post’s own midnight, the month at its own first', async () => {
    store.points = count(MONTH - HOUR, NOW);
    await start();
    const { today, month } = totals.ofPost('kyzyl-art');
    expect(today).toMatchObject({ from: MIDNIGHT, zone: 'Asia/Dushanbe' });
    expect(month.from).toBe(MONTH);
    expect(today.totals.loadEnergy).toMatchObject({ value: 600, unit: 'Wh', method: 'counter' });
    expect(today.totals.loadEnergy?.coverage).toBeCloseTo(1, 3);
    expect(month.totals.loadEnergy?.value).toBe((NOW - MONTH) / MINUTE);
    expect(today.totals.pvEnergy).toBeUndefined();
  });

  test('a day that is rolled up is not read from points', async () => {
    store.points = count(MONTH - HOUR, NOW);
    const asked: number[] = [];
    rollups = {
      dayOf: async (_series, { from, to }) => {
        asked.push(from);
        if (from === MONTH) return undefined;
        const ends = { first: 0, last: 0, count: 1440 };
        return { kind: 'counter', from, to, increase: 1440, coverage: 1, estimated: false, ...ends };
      },
    };
    await start();
    expect(totals.ofPost('kyzyl-art').month.totals.loadEnergy?.value).toBe((NOW - MONTH) / MINUTE);
    expect(asked).toHaveLength(20);
    // The first of the month, and the hours of today.
    expect(reads).toBe(1 + 10);
  });

  test('a gap lowers the coverage, and what the counter went on counting is kept', async () => {
    store.points = [...count(MIDNIGHT - HOUR, MIDNIGHT + 2 * HOUR), ...count(MIDNIGHT + 7 * HOUR, NOW)];
    await start();
    const { loadEnergy } = totals.ofPost('kyzyl-art').today.totals;
    expect(loadEnergy?.value).toBe(600);
    expect(loadEnergy?.coverage).toBeGreaterThan(0.49);
    expect(loadEnergy?.coverage).toBeLessThan(0.52);
  });

  test('a day without any sample has no total, not zero', async () => {
    await start();
    expect(totals.ofPost('kyzyl-art').today.totals.loadEnergy).toMatchObject({ value: null, coverage: 0 });
  });

  test('live samples show within seconds, and only the running hour is read for them', async () => {
    store.points = count(MONTH, NOW);
    await start();
    const told: string[] = [];
    totals.subscribe((post) => told.push(post));
    reads = 0;
    const next = energy((NOW - MONTH) / MINUTE, NOW);
    store.points.push(next);
    ingest.sample('kyzyl-art', [next]);
    await time.advance(5000);
    expect(told).toEqual(['kyzyl-art']);
    expect(totals.ofPost('kyzyl-art').today.totals.loadEnergy?.value).toBe(601);
    expect(reads).toBe(1);
  });

  test('late data corrects the days that it touches', async () => {
    store.points = [...count(MONTH - HOUR, MONTH + 5 * DAY), ...count(MIDNIGHT, NOW)];
    await start();
    const before = totals.ofPost('kyzyl-art').month.totals.loadEnergy!;
    expect(before.coverage).toBeLessThan(0.5);
    const late = count(MONTH + 5 * DAY, MIDNIGHT);
    store.points.push(...late);
    ingest.emit({ type: 'samples', post: 'kyzyl-art', points: late, historical: true });
    await time.advance(5000);
    const after = totals.ofPost('kyzyl-art').month.totals.loadEnergy!;
    expect(after.value).toBe(before.value);
    expect(after.coverage).toBeCloseTo(1, 3);
  });

  test('midnight begins a new day without any sample', async () => {
    store.points = count(MIDNIGHT - HOUR, MIDNIGHT + DAY);
    time = new VirtualTime(MIDNIGHT + DAY - 30_000);
    await start();
    expect(totals.ofPost('kyzyl-art').today.totals.loadEnergy?.value).toBe(1440);
    await time.advance(2 * MINUTE);
    expect(totals.ofPost('kyzyl-art').today).toMatchObject({
      from: MIDNIGHT + DAY,
      totals: { loadEnergy: { value: null } },
    });
    expect(totals.ofPost('kyzyl-art').month.totals.loadEnergy?.value).toBe(1499);
  });

  test('a store that fails keeps the last totals, and is asked again', async () => {
    store.points = count(MIDNIGHT - HOUR, NOW);
    await start();
    store.failing = true;
    ingest.sample('kyzyl-art', [energy(1, NOW)]);
    await time.advance(5000);
    expect(totals.ofPost('kyzyl-art').today.totals.loadEnergy?.value).toBe(600);
    expect(totals.counters().totalsReadsFailed).toBeGreaterThan(0);
    await time.advance(MINUTE);
    expect(warnings).toEqual([{ post: 'kyzyl-art', reason: expect.any(String) }]);
    store.failing = false;
    store.points.push(energy((NOW - MONTH) / MINUTE, NOW));
    await time.advance(5000);
    expect(totals.ofPost('kyzyl-art').today.totals.loadEnergy?.value).toBe(601);
  });
});

describe('totals of the fleet', () => {
  const day = (value: number | null, coverage: number, zone = 'UTC') => ({
    ...emptyTotals({ from: NOW - HOUR, to: NOW }, zone),
    totals: { waterVolume: { value, coverage, unit: 'm³' as const, method: 'counter' as const } },
  });

  test('add up, and a post without data makes them incomplete instead of smaller in silence', () => {
    expect(fleetTotals([day(3, 1), day(null, 0)], NOW).totals.waterVolume).toEqual({
      value: 3,
      coverage: 0.5,
      unit: 'm³',
      method: 'counter',
    });
    expect(fleetTotals([day(null, 0)], NOW).totals.waterVolume?.value).toBeNull();
  });

  test('posts in several zones have no common midnight', () => {
    expect(fleetTotals([day(3, 1, 'Asia/Dushanbe'), day(4, 1, 'Asia/Bishkek')], NOW).zone).toBe('UTC');
    expect(fleetTotals([day(3, 1, 'Asia/Dushanbe')], NOW).zone).toBe('Asia/Dushanbe');
    expect(fleetTotals([], NOW)).toMatchObject({ zone: 'UTC', totals: {} });
  });
});
