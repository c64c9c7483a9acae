import { expect, test } from 'vitest';
import { failed, ok } from '#domain/result.js';
import { createMemoryStore, type MemoryStore } from '#tests/support/memory-store.js';
import { VirtualTime } from '#tests/support/virtual-time.js';
import type { Point, StoreFault } from '../ports.js';
import type { Lot } from './ingest.js';
import { createWriter, type Writer, type WriteWatch } from './writer.js';

const NOON = Date.UTC(2026, 5, 21, 12);

const point = (metric: string): Point => ({ post: 'langar', device: 'meter', metric, at: NOON, value: 1, code: 0 });
const lotOf = (...metrics: string[]): Lot => ({ bytes: 10, points: metrics.map(point) }) as unknown as Lot;

function writerOver(store: MemoryStore, watch: WriteWatch, time: VirtualTime): { writer: Writer; faults: string[] } {
  const faults: string[] = [];
  const writer = createWriter({
    store,
    clock: time,
    scheduler: time,
    watch,
    limits: { memoryBytesMax: 1000, batchPointsMax: 100, batchDelayMs: 5, storeRetryMs: 1000 },
    stored: () => {},
    storeChanged: (fault) => faults.push(fault?.code ?? 'well again'),
  });
  return { writer, faults };
}

test('a watch is told of points before they are written, and behind it of those that are stored', async () => {
  const time = new VirtualTime(NOON);
  const store = createMemoryStore();
  store.refuse = ({ metric }) => (metric === 'b' ? 'STORE_TYPE' : undefined);
  const told: unknown[] = [];
  const watch: WriteWatch = {
    begin(points) {
      told.push(['begins', points.length, store.writes]);
      return ok((stored) => told.push(['stored', stored.map(({ metric }) => metric), store.writes]));
    },
  };
  const { writer } = writerOver(store, watch, time);
  writer.offer(lotOf('a', 'b'));
  writer.offer(lotOf('c'));
  await time.advance(10);
  expect(told).toEqual([
    ['begins', 3, 0],
    ['stored', ['a', 'c'], 1],
  ]);
  store.fault = { code: 'STORE_FULL', message: 'no space' };
  writer.offer(lotOf('d'));
  await time.advance(10);
  expect(told.slice(2)).toEqual([
    ['begins', 1, 1],
    ['stored', [], 2],
  ]);
});

test('nothing is written, or confirmed, while the watch cannot begin', async () => {
  const time = new VirtualTime(NOON);
  const store = createMemoryStore();
  let fault: StoreFault | undefined = { code: 'STORE_FULL', message: 'no space for the mark' };
  const watch: WriteWatch = { begin: () => (fault === undefined ? ok(() => {}) : failed(fault)) };
  const { faults, writer } = writerOver(store, watch, time);
  const settled: boolean[] = [];
  writer.offer(lotOf('a'), (outcome) => settled.push(outcome.ok));
  await time.advance(10);
  expect([store.writes, settled, writer.storeOk()]).toEqual([0, [false], false]);
  fault = undefined;
  await time.advance(1000);
  writer.offer(lotOf('a'), (outcome) => settled.push(outcome.ok));
  await time.advance(10);
  expect([store.writes, settled, faults]).toEqual([1, [false, true], ['STORE_FULL', 'well again']]);
});
