// Any writing, sealing, compacting, pruning and opening again of the embedded store, against a model that is a map.
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import type { Value } from '#domain/reading.js';
import type { Point, SeriesName } from '#server/ports.js';
import { type EmbeddedStore, openEmbeddedStoreHere } from '#server/store/embedded-store.js';

const T0 = Date.UTC(2026, 0, 15);
const DAY = 86_400_000;
const SERIES: readonly SeriesName[] = [
  { post: 'langar', device: 'meter', metric: 'load.power' },
  { post: 'langar', device: 'inverter', metric: 'battery.soc' },
  { post: 'langar', device: 'pump', metric: 'pump.state' },
  { post: 'kyzyl-art', device: 'meter', metric: 'load.power' },
];

/** Throws where what is read is not the last write of each point. Without a seed it takes one by chance, and tells it. */
export async function followModel(runs: number, seed?: number): Promise<void> {
  await fc.assert(fc.asyncProperty(fc.array(act, { maxLength: 15 }), followActs), {
    numRuns: runs,
    ...(seed !== undefined && { seed }),
  });
}

/** Makes a folder with a reserve as large as the store's own, but of nothing: it takes no time, and is left as it is. */
export function holdNothing(folder: string): void {
  mkdirSync(folder, { recursive: true });
  const reserve = join(folder, 'telemetry.sqlite.reserve');
  writeFileSync(reserve, '');
  truncateSync(reserve, 16 * 1024 * 1024);
}

/** A store in the caller's thread, without the time that its reserve takes. Throws where it cannot be opened. */
export function openQuickly(folder: string, sealValues: number): EmbeddedStore {
  holdNothing(folder);
  const opened = openEmbeddedStoreHere({ folder, sealValues });
  if (!opened.ok) throw new Error(opened.fault.message);
  return opened.value;
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
type Act = typeof act extends fc.Arbitrary<infer T> ? T : never;

async function followActs(acts: readonly Act[]): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'oftob-model-'));
  try {
    let store = openQuickly(folder, 100);
    const model = new Map<string, Point>();
    let cut = 0;
    for (const one of acts) {
      if (one.kind === 'write') {
        assert.deepEqual(await store.write(one.points), { ok: true, value: [] });
        for (const point of one.points) model.set(`${keyOf(point)}/${point.at}`, point);
      } else if (one.kind === 'seal') await store.seal(T0 + one.compactBefore);
      else if (one.kind === 'prune') {
        cut = Math.max(cut, T0 + one.cut);
        assert.ok((await store.prune({ raw: cut, quarter: 0 })).ok);
      } else {
        await store.close();
        store = openQuickly(folder, one.sealValues);
      }
    }
    await compare(store, [...model.values()], cut);
    await store.close();
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function keyOf({ device, metric, post }: SeriesName): string {
  return `${post}/${device}/${metric}`;
}

/** What is read is what was written; of what is older than the cut some may be gone. */
async function compare(store: EmbeddedStore, written: readonly Point[], cut: number): Promise<void> {
  const latest = await store.latest('langar');
  assert.ok(latest.ok);
  for (const series of SERIES) {
    const expected = written.filter((point) => keyOf(point) === keyOf(series)).sort((a, b) => a.at - b.at);
    const kept = expected.filter(({ at }) => at >= cut);
    assert.deepEqual(await store.read(series, cut, T0 + 10 * DAY), { ok: true, value: kept });
    const all = await store.read(series, 0, T0 + 10 * DAY);
    assert.ok(all.ok);
    const times = new Set(all.value.map(({ at }) => at));
    assert.deepEqual(
      all.value,
      expected.filter(({ at }) => times.has(at)),
    );
    for (const at of [T0 + 1_200_000, T0 + 2 * DAY, T0 + 10 * DAY]) {
      const known = kept.filter((point) => point.at < at && point.value !== null).at(-1);
      if (known !== undefined) assert.deepEqual(await store.lastBefore(series, at), { ok: true, value: known });
    }
    const newest = kept.at(-1);
    if (series.post === 'langar' && newest !== undefined)
      assert.deepEqual(
        latest.value.find((point) => keyOf(point) === keyOf(series)),
        newest,
      );
  }
}
