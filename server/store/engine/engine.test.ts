import { mkdirSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Value } from '#domain/reading.js';
import type { Point, SeriesName } from '../../ports.js';
import { type EmbeddedStore, openEmbeddedStoreHere } from '../embedded-store.js';

const T0 = Date.UTC(2026, 0, 15);
const DAY = 86_400_000;
const SERIES: readonly SeriesName[] = [
  { post: 'langar', device: 'meter', metric: 'load.power' },
  { post: 'langar', device: 'inverter', metric: 'battery.soc' },
  { post: 'langar', device: 'pump', metric: 'pump.state' },
  { post: 'kyzyl-art', device: 'meter', metric: 'load.power' },
];
let folder: string;
let count = 0;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'oftob-engine-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function open(sealValues: number): EmbeddedStore {
  const place = join(folder, String(count));
  holdNothing(place);
  const opened = openEmbeddedStoreHere({ folder: place, sealValues });
  if (!opened.ok) throw new Error(opened.fault.message);
  return opened.value;
}

/** A reserve as large as the store's own, which is then left as it is, but of nothing: it takes no time. */
function holdNothing(place: string): void {
  mkdirSync(place, { recursive: true });
  const reserve = join(place, 'telemetry.sqlite.reserve');
  writeFileSync(reserve, '');
  truncateSync(reserve, 16 * 1024 * 1024);
}

/** Few series and coarse times over some days, so that points meet one another in logs, heads, blocks and days. */
const points = fc.array(
  fc
    .record({
      series: fc.nat(SERIES.length - 1),
      at: fc.oneof(
        fc.integer({ min: 0, max: 40 }).map((n) => T0 + n * 600_000),
        fc.integer({ min: 0, max: 6 * DAY }).map((ms) => T0 + ms),
      ),
      number: fc.oneof(fc.integer({ min: 0, max: 5 }), fc.double({ noNaN: true, noDefaultInfinity: true })),
      code: fc.constantFrom(0, 0, 0, 1, 33),
    })
    .map(({ at, code, number, series }): Point => {
      const name = SERIES[series]!;
      const word = `state ${number}`;
      const value: Value = code === 33 ? null : name.metric === 'pump.state' ? word : number;
      return { ...name, at, value, code };
    }),
  { maxLength: 60 },
);
const act = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('write' as const), points }) },
  fc.record({ kind: fc.constant('seal' as const), compactBefore: fc.integer({ min: 0, max: 7 * DAY }) }),
  fc.record({ kind: fc.constant('reopen' as const), sealValues: fc.integer({ min: 1, max: 300 }) }),
  fc.record({ kind: fc.constant('prune' as const), cut: fc.integer({ min: 0, max: 3 * DAY }) }),
);

test('whatever is written, sealed, compacted, pruned and opened again, the last write of each point is what is read', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(act, { maxLength: 15 }), async (acts) => {
      count += 1;
      let store = open(100);
      const model = new Map<string, Point>();
      let cut = 0;
      for (const one of acts) {
        if (one.kind === 'write') {
          expect(await store.write(one.points)).toEqual({ ok: true, value: [] });
          for (const point of one.points) model.set(`${keyOf(point)}/${point.at}`, point);
        } else if (one.kind === 'seal') await store.seal(T0 + one.compactBefore);
        else if (one.kind === 'prune') {
          cut = Math.max(cut, T0 + one.cut);
          expect(await store.prune({ raw: cut, quarter: 0 })).toMatchObject({ ok: true });
        } else {
          await store.close();
          store = open(one.sealValues);
        }
      }
      await compare(store, [...model.values()], cut);
      await store.close();
    }),
    { numRuns: 80 },
  );
}, 20_000);

function keyOf({ device, metric, post }: SeriesName): string {
  return `${post}/${device}/${metric}`;
}

/** What is read is what was written; of what is older than the cut some may be gone. */
async function compare(store: EmbeddedStore, written: readonly Point[], cut: number): Promise<void> {
  for (const series of SERIES) {
    const expected = written.filter((point) => keyOf(point) === keyOf(series)).sort((a, b) => a.at - b.at);
    const kept = expected.filter(({ at }) => at >= cut);
    const read = await store.read(series, cut, T0 + 10 * DAY);
    expect(read).toEqual({ ok: true, value: kept });
    const all = await store.read(series, 0, T0 + 10 * DAY);
    expect(expected).toEqual(expect.arrayContaining([...(all.ok ? all.value : [])]));
    for (const at of [T0 + 1_200_000, T0 + 2 * DAY, T0 + 10 * DAY]) {
      const last = await store.lastBefore(series, at);
      const known = kept.filter((point) => point.at < at && point.value !== null).at(-1);
      if (known !== undefined) expect(last).toEqual({ ok: true, value: known });
    }
  }
  const latest = await store.latest('langar');
  for (const series of SERIES.slice(0, 3)) {
    const newest = written.filter((p) => keyOf(p) === keyOf(series) && p.at >= cut).sort((a, b) => b.at - a.at)[0];
    if (newest !== undefined) expect(latest.ok && latest.value).toContainEqual(newest);
  }
}

test('blocks that end before the cut are gone, and no other', async () => {
  const store = open(1e6);
  const name = SERIES[0]!;
  const days = Array.from(
    { length: 6 * 12 },
    (_, i): Point => ({ ...name, at: T0 + i * 7_200_000, value: i, code: 0 }),
  );
  await store.write(days);
  await store.seal(T0 + 3 * DAY);
  // Three days are whole blocks, the rest is in blocks of two hours.
  expect(await store.prune({ raw: T0 + 2 * DAY + 7_200_000, quarter: 0 })).toEqual({ ok: true, value: 2 });
  expect(await store.prune({ raw: T0 + 3 * DAY + 4 * 3_600_000, quarter: 0 })).toEqual({ ok: true, value: 3 });
  const read = await store.read(name, 0, T0 + 10 * DAY);
  expect(read.ok && read.value).toEqual(days.slice(3 * 12 + 2));
  await store.close();
});

test('a copy that is made while points are written opens, with what was confirmed before', async () => {
  const store = open(50);
  const name = SERIES[0]!;
  const some = (from: number): Point[] =>
    Array.from({ length: 70 }, (_, i) => ({ ...name, at: T0 + (from + i) * 1000, value: i, code: 0 }));
  await store.write(some(0));
  const copying = store.backup(join(folder, 'copy', 'telemetry.sqlite'));
  await store.write(some(100));
  expect(await copying).toMatchObject({ ok: false, fault: { code: 'STORE_UNAVAILABLE' } });
  mkdirSync(join(folder, 'copy'));
  const again = store.backup(join(folder, 'copy', 'telemetry.sqlite'));
  await store.write(some(200));
  expect(await again).toEqual({ ok: true, value: undefined });
  await store.close();
  const copy = openEmbeddedStoreHere({ folder: join(folder, 'copy') });
  if (!copy.ok) throw new Error(copy.fault.message);
  const read = await copy.value.read(name, 0, T0 + DAY);
  expect(read.ok && read.value.slice(0, 140)).toEqual([...some(0), ...some(100)]);
  await copy.value.close();
});
