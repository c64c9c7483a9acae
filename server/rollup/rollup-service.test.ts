import { expect, test } from 'vitest';
import { createMemoryRollups } from '#tests/support/memory-rollups.js';
import { createMemoryStore } from '#tests/support/memory-store.js';
import { VirtualTime } from '#tests/support/virtual-time.js';
import type { Point, PostDay } from '../ports.js';
import { createRollupService } from './rollup-service.js';

const DAY = 86_400_000;
const NOON = Date.UTC(2026, 5, 21, 12);
const YESTERDAY = { from: Date.UTC(2026, 5, 20), to: Date.UTC(2026, 5, 21) };
const SERIES = { post: 'langar', device: 'meter', metric: 'load.energy' };
const REGISTRY = { marks: (): PostDay[] => [], addMarks: () => {}, clearMarks: () => {} };

function serviceOf(store: Parameters<typeof createRollupService>[0]['store'], time: VirtualTime) {
  return createRollupService({
    posts: [],
    retention: { rawDays: 400, quarterYears: 10 },
    store,
    registry: REGISTRY,
    counterEvents: { ofSeries: () => [] },
    birthOf: () => undefined,
    clock: time,
    scheduler: time,
    log: { info() {}, warn() {}, error() {} },
  });
}

test('a day is told once its rollups know every point', async () => {
  const time = new VirtualTime(NOON);
  const store = { ...createMemoryStore(), ...createMemoryRollups() };
  const service = serviceOf(store, time);
  service.start();
  const write = async (values: readonly number[], from: number): Promise<void> => {
    const points = values.map((value, i): Point => ({ ...SERIES, at: from + i * 60_000, value, code: 0 }));
    const begun = service.watch?.begin(points);
    for (const point of points) store.points.set(String(point.at), point);
    if (begun?.ok) begun.value(points);
  };
  await write([1, 2, 3], YESTERDAY.from);
  expect(await service.dayOf(SERIES, YESTERDAY)).toBeUndefined();
  await time.advance(60_000);
  expect(await service.dayOf(SERIES, YESTERDAY)).toMatchObject({ increase: 2 });
  // What runs now changes nothing of yesterday; what came late before it does.
  await write([9], NOON);
  expect(await service.dayOf(SERIES, YESTERDAY)).toMatchObject({ increase: 2 });
  await write([0], YESTERDAY.from - DAY);
  expect(await service.dayOf(SERIES, YESTERDAY)).toBeUndefined();
  await time.advance(60_000);
  expect(await service.dayOf(SERIES, YESTERDAY)).toMatchObject({ increase: 3 });
  await service.stop();
});

test('a store that keeps no rollups is not followed', async () => {
  const service = serviceOf(createMemoryStore(), new VirtualTime(NOON));
  service.start();
  expect(service.watch).toBeUndefined();
  expect(await service.dayOf(SERIES, YESTERDAY)).toBeUndefined();
  await service.stop();
});
