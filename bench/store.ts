// What the embedded store promises in ratios: against wide rows in the same SQLite, a raw durable append, and InfluxDB 1.x, all in
// one run. `-- --values 40e6` is the data set of the promise; fewer are quicker.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { influxChartMs } from './store/influx-chart.js';
import { influxPathRatio } from './store/influx-path.js';
import { median, printTable } from './table.js';

const { values: options } = parseArgs({
  options: { values: { type: 'string', default: '40e6' }, rounds: { type: 'string', default: '5' } },
});
const TOTAL = Number(options.values);
/** 30 days of one post and 3 of another come besides. */
const BACKFILLED = 33 * 8640 * 60;
const LIVE = Math.max(TOTAL - BACKFILLED, 1e6);
/** Long enough that disks do not take them into a cache of their own, and for some sealing. */
const SHORT = Math.min(12e6, TOTAL);
const LOG_FULL = 3.9e6;

const PART = new URL('./store/part.ts', import.meta.url).pathname;
const folders: string[] = [];

function makeFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'oftob-bench-store-'));
  folders.push(folder);
  return folder;
}

function run(part: string, folder: string, values: number) {
  // The store as it is installed; only the measurement is read from its source.
  return spawn(process.execPath, ['--import', 'tsx', PART, part, folder, String(values)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
}

async function measure(part: string, folder: string, values: number): Promise<Record<string, number>> {
  const child = run(part, folder, values);
  let said = '';
  child.stdout.on('data', (chunk) => (said += String(chunk)));
  const [code] = await once(child, 'close');
  if (code !== 0) throw new Error(`part "${part}" ended with ${code}`);
  return JSON.parse(said.trim().split('\n').at(-1) ?? '{}');
}

async function shortRounds(): Promise<{ ours: number; wide: number; raw: number; loop: number; rss: number }> {
  const rates: Record<'ours' | 'wide' | 'raw' | 'loop' | 'rss', number[]> = {
    ours: [],
    wide: [],
    raw: [],
    loop: [],
    rss: [],
  };
  for (let round = 0; round < Number(options.rounds); round += 1) {
    for (const part of round % 2 === 0 ? ['ours', 'wide', 'raw'] : ['raw', 'wide', 'ours']) {
      const folder = makeFolder();
      const got = await measure(part, folder, SHORT);
      rmSync(folder, { recursive: true, force: true });
      const tookMs = (got.tookMs ?? Number.NaN) - (got.makingMs ?? 0);
      rates[part as 'ours'].push(SHORT / tookMs / 1000);
      if (part === 'ours') {
        rates.loop.push(got.loopP99Ms ?? Number.NaN);
        rates.rss.push(got.rssMb ?? Number.NaN);
      }
    }
  }
  return {
    ours: median(rates.ours),
    wide: median(rates.wide),
    raw: median(rates.raw),
    loop: median(rates.loop),
    rss: Math.max(...rates.rss),
  };
}

async function afterKill(): Promise<Record<string, number>> {
  const folder = makeFolder();
  const child = run('fill', folder, LOG_FULL);
  await new Promise<void>((resolve) =>
    child.stdout.on('data', (chunk) => String(chunk).includes('filled') && resolve()),
  );
  child.kill('SIGKILL');
  await once(child, 'close');
  return measure('reopen', folder, 0);
}

interface Promised {
  readonly what: string;
  readonly seen: number;
  readonly least?: number;
  readonly most?: number;
  readonly unit?: string;
}

function print(rows: readonly Promised[]): void {
  printTable(
    `${(TOTAL / 1e6).toFixed(0)} million values, ${options.rounds} rounds of ${(SHORT / 1e6).toFixed(0)} million`,
    ['what', 'seen', 'promised', ''],
    rows.map(({ least, most, seen, unit = '', what }) => {
      const isKept = (least === undefined || seen >= least) && (most === undefined || seen <= most);
      const promised = least === undefined ? (most === undefined ? '' : `≤ ${most}${unit}`) : `≥ ${least}${unit}`;
      return [what, `${seen.toPrecision(3)}${unit}`, promised, promised === '' ? '' : isKept ? 'kept' : 'NOT KEPT'];
    }),
  );
}

try {
  const short = await shortRounds();
  const full = await measure('full', makeFolder(), LIVE);
  const wide = await measure('wideFull', makeFolder(), LIVE);
  const influxMs = await influxChartMs();
  const influxPath = await influxPathRatio(Number(options.rounds));
  const opened = await afterKill();
  const of = (facts: Record<string, number>, name: string): number => facts[name] ?? Number.NaN;
  const lateMs = of(full, 'lateMs') - of(full, 'lateMakingMs');
  print([
    { what: 'durable ingest, million values/s', seen: short.ours },
    { what: '… of wide rows', seen: short.ours / short.wide, least: 3, unit: '×' },
    { what: '… of a raw append with fdatasync', seen: short.ours / short.raw, least: 0.2, unit: '×' },
    { what: 'delay of the main loop meanwhile, p99', seen: Math.max(0, short.loop), most: 10, unit: ' ms' },
    { what: 'resident memory meanwhile', seen: short.rss, most: 450, unit: ' MB' },
    { what: 'values in the full set, million', seen: of(full, 'values') / 1e6 },
    { what: 'blocks, bytes per value', seen: of(full, 'bytesPerValue'), most: 1.5 },
    { what: '… of wide rows', seen: of(full, 'bytesPerValue') / of(wide, 'bytesPerValue'), most: 0.15, unit: '×' },
    { what: '… after compaction, bytes per value', seen: of(full, 'compactedPerValue') },
    { what: '30 days of four series from points, ms', seen: of(full, 'rawMs') },
    { what: '… of wide rows', seen: of(full, 'rawMs') / of(wide, 'chartMs'), most: 0.5, unit: '×' },
    { what: '… of InfluxDB', seen: of(full, 'rawMs') / influxMs, most: 0.2, unit: '×' },
    { what: 'from rollups, of points', seen: of(full, 'rollupMs') / of(full, 'rawMs'), most: 0.15, unit: '×' },
    { what: 'rollups of 3 late days, of their ingest', seen: of(full, 'refreshMs') / lateMs, most: 0.5, unit: '×' },
    { what: 'ingest into InfluxDB, of bodies built before', seen: influxPath, least: 0.65, unit: '×' },
    { what: 'open after a kill, log nearly full', seen: of(opened, 'openMs') / 1000, most: 1, unit: ' s' },
  ]);
} finally {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
}
