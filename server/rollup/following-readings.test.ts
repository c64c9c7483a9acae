import { beforeEach, expect, test } from 'vitest';
import { QUARTER_MS, type RollupSpan, type WindowRollup } from '#domain/series-rollup.js';
import { createMemoryRollups, type MemoryRollups } from '#tests/support/memory-rollups.js';
import { followingReadings } from './following-readings.js';
import type { Piece } from './rebuild.js';

const DAY = 86_400_000;
const START = Date.UTC(2025, 0, 1);
const SERIES = { post: 'langar', device: 'meter', metric: 'load.energy' };
const PIECE: Piece = {
  series: SERIES,
  spec: { kind: 'counter', expectedEveryMs: 60_000 },
  zone: 'UTC',
  from: START,
  to: START + QUARTER_MS,
};

let rollups: MemoryRollups;
let windowsRead: number;

beforeEach(() => {
  rollups = createMemoryRollups();
  windowsRead = 0;
});

function windowOf(from: number, lengthMs: number, count: number): WindowRollup {
  const ends = { increase: 1, estimated: false, first: 1, last: 2 };
  return { kind: 'counter', from, to: from + lengthMs, count, coverage: 1, ...ends };
}

/** Quarters with so many readings each, and their days. */
async function keep(from: number, to: number, count: number): Promise<void> {
  const save = (span: RollupSpan, lengthMs: number, each: number): Promise<unknown> => {
    const starts = Array.from({ length: Math.ceil((to - from) / lengthMs) }, (_, i) => from + i * lengthMs);
    const windows = starts.map((start) => windowOf(start, lengthMs, each));
    return rollups.saveRollups([{ series: SERIES, span, windows, from, to }]);
  };
  await save('quarter', QUARTER_MS, count);
  await save('day', DAY, count * 96);
}

async function follow(until: number, piece = PIECE): Promise<Piece | undefined> {
  const counting: Pick<MemoryRollups, 'readRollups'> = {
    async readRollups(...question) {
      const read = await rollups.readRollups(...question);
      if (read.ok) windowsRead += read.value.length;
      return read;
    },
  };
  const found = await followingReadings(counting, [piece], until / QUARTER_MS);
  return found.ok ? found.value[0] : undefined;
}

test('the next quarters with readings are found, as many as settle a doubt', async () => {
  await keep(START + DAY / 2, START + 2 * DAY, 1);
  expect(await follow(START + 2 * DAY)).toMatchObject({ from: START + DAY / 2, to: START + DAY / 2 + 4 * QUARTER_MS });
});

test('behind an outage of a year they are found without reading a year of quarters', async () => {
  await keep(START + 365 * DAY, START + 500 * DAY, 15);
  expect(await follow(START + 500 * DAY)).toMatchObject({
    from: START + 365 * DAY,
    to: START + 365 * DAY + QUARTER_MS,
  });
  expect(windowsRead).toBeLessThan(500);
});

test('where there are none, or no counter, nothing follows', async () => {
  expect(await follow(START + 500 * DAY)).toBeUndefined();
  await keep(START + DAY, START + 2 * DAY, 1);
  expect(await follow(START + QUARTER_MS)).toBeUndefined();
  expect(await follow(START + 2 * DAY, { ...PIECE, spec: { kind: 'gauge', expectedEveryMs: 60_000 } })).toBeUndefined();
});
