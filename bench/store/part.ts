// One measurement of bench/store in a process of its own: its memory and its garbage are nobody else's. Prints JSON.
import { closeSync, copyFileSync, existsSync, fdatasyncSync, openSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import Database from 'better-sqlite3';
import type { Point, RollupQuestion } from '#server/ports.js';
import { type EmbeddedStore, openEmbeddedStore } from '#server/store/embedded-store.js';
import {
  DAY_MS,
  DEVICE,
  FLUSH_VALUES,
  FlushPoints,
  LIVE_FROM,
  liveRow,
  METRICS,
  madeValue,
  metricName,
  PERIOD_MS,
  POSTS,
  postName,
  ROWS,
  type Row,
  rowsOfFlush,
} from './data-set.js';
import { WideRows } from './wide-rows.js';

const STEPS_OF_DAY = DAY_MS / PERIOD_MS;
const BACKFILL_FROM = LIVE_FROM - 60 * DAY_MS;
const LATE_FROM = LIVE_FROM - 4 * DAY_MS;
const IN_FLIGHT = 4;
const CHART = [12, 20, 33, 48];

const [, , part = '', folder = '', valuesText = '0'] = process.argv;
const values = Number(valuesText);

/** The three loads, in the order in which they come: all posts live, 30 days of one long ago, 3 late days of another. */
interface Load {
  readonly flushes: number;
  readonly from: number;
  rowOf(row: number): Row;
}

const live = (count: number): Load => ({ flushes: Math.round(count / FLUSH_VALUES), from: LIVE_FROM, rowOf: liveRow });
const daysOf = (post: number, days: number, from: number): Load => ({
  flushes: Math.ceil((days * STEPS_OF_DAY) / ROWS),
  from,
  rowOf: (row) => ({ post, step: row }),
});
const backfill = daysOf(0, 30, BACKFILL_FROM);
const late = daysOf(1, 3, LATE_FROM);

async function open(): Promise<EmbeddedStore> {
  const opened = await openEmbeddedStore({ folder });
  if (!opened.ok) throw new Error(opened.fault.message);
  return opened.value;
}

/** Flushes through the store, four at a time; gives milliseconds, sealing included. */
async function ingest(store: EmbeddedStore, load: Load, onFlush = (): void => {}): Promise<number> {
  const points = new FlushPoints();
  const inFlight = new Set<Promise<void>>();
  const start = performance.now();
  for (let flush = 0; flush < load.flushes; flush += 1) {
    // Packed before `write` first waits, so that the same objects serve again, but for the first that names its series.
    points.fill(rowsOfFlush(flush, load.rowOf), load.from);
    const isNaming = flush * ROWS < POSTS + ROWS;
    const written = store.write(points.points as readonly Point[]).then((result) => {
      if (!result.ok || result.value.length > 0) throw new Error('a flush was not stored');
      inFlight.delete(written);
      onFlush();
    });
    inFlight.add(written);
    if (isNaming) await written;
    else if (inFlight.size >= IN_FLIGHT) await Promise.race(inFlight);
  }
  await Promise.all(inFlight);
  await store.seal(0);
  return performance.now() - start;
}

/** What making the points costs, which no store is charged with. */
function making(load: Load): number {
  const points = new FlushPoints();
  const start = performance.now();
  for (let flush = 0; flush < load.flushes; flush += 1) points.fill(rowsOfFlush(flush, load.rowOf), load.from);
  return performance.now() - start;
}

async function ours(): Promise<object> {
  const store = await open();
  const delay = monitorEventLoopDelay({ resolution: 2 });
  let rss = 0;
  let writes = 0;
  delay.enable();
  const tookMs = await ingest(store, live(values), () => {
    writes += 1;
    if (writes % 20 === 0) rss = Math.max(rss, process.memoryUsage.rss());
  });
  delay.disable();
  await store.close();
  return { tookMs, makingMs: making(live(values)), loopP99Ms: delay.percentile(99) / 1e6 - 2, rssMb: rss / 1e6 };
}

async function full(): Promise<object> {
  const store = await open();
  const liveMs = await ingest(store, live(values));
  const backfillMs = await ingest(store, backfill);
  const lateMs = await ingest(store, late);
  const lateMakingMs = making(late);
  const [refreshMs] = await timed(() => refresh(store));
  const rolled = await refreshChart(store);
  const charts = await chartTimes(store);
  const before = blockBytes();
  await store.seal(LIVE_FROM + 400 * DAY_MS);
  await store.close();
  const total = (live(values).flushes + backfill.flushes + late.flushes) * FLUSH_VALUES;
  const counted = { values: total, bytesPerValue: before / total };
  return {
    ...counted,
    compactedPerValue: blockBytes() / total,
    liveMs,
    backfillMs,
    lateMs,
    lateMakingMs,
    refreshMs,
    rolled,
    ...charts,
  };
}

/** The rollups of three late days of all series of a post, as the server's refresher does them. */
async function refresh(store: EmbeddedStore): Promise<void> {
  const pieces = Array.from({ length: METRICS }, (_, metric) => ({
    series: { post: postName(1), device: DEVICE, metric: metricName(metric) },
    spec: {
      kind: metric < 10 ? ('counter' as const) : metric === 59 ? ('state' as const) : ('gauge' as const),
      expectedEveryMs: 60_000,
      ...(metric < 10 && { counter: {} }),
    },
    zone: 'Asia/Dushanbe',
    from: LATE_FROM,
    to: LATE_FROM + 3 * DAY_MS,
  }));
  const done = await store.rebuild(pieces, 0);
  if (!done.ok) throw new Error(done.fault.message);
}

async function refreshChart(store: EmbeddedStore): Promise<number> {
  const pieces = CHART.map((metric) => ({
    series: { post: postName(0), device: DEVICE, metric: metricName(metric) },
    spec: { kind: 'gauge' as const, expectedEveryMs: 60_000 },
    zone: 'Asia/Dushanbe',
    from: BACKFILL_FROM,
    to: BACKFILL_FROM + 30 * DAY_MS,
  }));
  const done = await store.rebuild(pieces, 0);
  if (!done.ok) throw new Error(done.fault.message);
  return done.value;
}

const median = (times: readonly number[]): number => [...times].sort((a, b) => a - b)[times.length >> 1] ?? Number.NaN;

/** Most of them as in a server that has been running for a while. */
const ROUNDS = 21;

/** The median of each, all done in turns: a machine that is slow for a while is slow for all. */
async function timed(...works: readonly (() => Promise<unknown>)[]): Promise<number[]> {
  const times: number[][] = works.map(() => []);
  for (let round = 0; round < ROUNDS; round += 1)
    for (const [number, work] of works.entries()) {
      const start = performance.now();
      await work();
      times[number]?.push(performance.now() - start);
    }
  return times.map(median);
}

async function chartTimes(store: EmbeddedStore): Promise<object> {
  const names = CHART.map((metric) => ({ post: postName(0), device: DEVICE, metric: metricName(metric) }));
  const to = BACKFILL_FROM + 30 * DAY_MS;
  const questions = names.map(
    (series): RollupQuestion => ({
      series,
      kind: 'gauge',
      from: BACKFILL_FROM,
      to,
      bucketMs: 900_000,
      expectedEveryMs: 60_000,
    }),
  );
  const fromPoints = async (): Promise<void> => {
    const answers = await store.rollUp(questions);
    if (!answers.ok || answers.value.some(({ windows }) => windows.length !== 2880)) throw new Error('no chart');
  };
  const fromRollups = () =>
    Promise.all(
      names.map(async (series) => {
        const read = await store.readRollups(series, 'quarter', BACKFILL_FROM, to);
        if (!read.ok || read.value.length !== 2880) throw new Error('no rollups');
      }),
    );
  const [rawMs, rollupMs] = await timed(fromPoints, fromRollups);
  return { rawMs, rollupMs };
}

/** Through a copy: the store alone may open its file. */
function blockBytes(): number {
  const [from, to] = [join(folder, 'telemetry.sqlite'), join(folder, 'copy.sqlite')];
  copyFileSync(from, to);
  if (existsSync(`${from}-wal`)) copyFileSync(`${from}-wal`, `${to}-wal`);
  const database = new Database(to);
  const row = database.prepare("SELECT sum(pgsize) AS bytes FROM dbstat WHERE name = 'blocks'").get();
  database.close();
  for (const path of [to, `${to}-wal`, `${to}-shm`]) rmSync(path, { force: true });
  return (row as { bytes: number }).bytes;
}

function wideIngest(store: WideRows, load: Load): number {
  let tookMs = 0;
  for (let flush = 0; flush < load.flushes; flush += 1) {
    const rows = rowsOfFlush(flush, load.rowOf).map(({ post, step }): [number, number, ...(number | string)[]] => [
      post,
      load.from + step * PERIOD_MS,
      ...Array.from({ length: METRICS }, (_, metric) => madeValue(post, metric, step)),
    ]);
    const start = performance.now();
    store.write(rows);
    tookMs += performance.now() - start;
  }
  return tookMs;
}

async function wide(): Promise<object> {
  const store = new WideRows(folder);
  const tookMs = wideIngest(store, live(values));
  store.close();
  return { tookMs };
}

async function wideFull(): Promise<object> {
  const store = new WideRows(folder);
  wideIngest(store, live(values));
  wideIngest(store, backfill);
  const [chartMs] = await timed(async () => store.chart(0, BACKFILL_FROM, BACKFILL_FROM + 30 * DAY_MS));
  const total = (live(values).flushes + backfill.flushes) * FLUSH_VALUES;
  const bytesPerValue = store.bytes() / total;
  store.close();
  return { chartMs, bytesPerValue };
}

/** The bytes that the embedded store logs for a flush, appended to a file and made durable. */
function raw(): object {
  const file = openSync(join(folder, 'raw'), 'w');
  const bytes = Buffer.alloc(Math.round(10.5 * FLUSH_VALUES), 7);
  const flushes = Math.round(values / FLUSH_VALUES);
  const start = performance.now();
  for (let flush = 0; flush < flushes; flush += 1) {
    writeSync(file, bytes);
    fdatasyncSync(file);
  }
  const tookMs = performance.now() - start;
  closeSync(file);
  return { tookMs };
}

/** Fills the log nearly full, says so, and waits to be killed. */
async function fill(): Promise<object> {
  const store = await open();
  const points = new FlushPoints();
  for (let flush = 0; flush < Math.round(values / FLUSH_VALUES); flush += 1) {
    points.fill(rowsOfFlush(flush, liveRow), LIVE_FROM);
    await store.write(points.points as readonly Point[]);
  }
  process.stdout.write('filled\n');
  return new Promise(() => setInterval(() => {}, 1000));
}

async function reopen(): Promise<object> {
  const start = performance.now();
  const store = await open();
  const openMs = performance.now() - start;
  const { storeUnsealedPoints = 0 } = store.counters();
  await store.read({ post: postName(3), device: DEVICE, metric: metricName(12) }, LIVE_FROM, LIVE_FROM + DAY_MS);
  const firstReadMs = performance.now() - start;
  await store.close();
  return { openMs, firstReadMs, storeUnsealedPoints };
}

const PARTS: Record<string, () => object | Promise<object>> = { ours, full, wide, wideFull, raw, fill, reopen };
const measure = PARTS[part];
if (measure === undefined) throw new Error(`no part "${part}"`);
process.stdout.write(`${JSON.stringify(await measure())}\n`);
