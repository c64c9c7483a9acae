// `kill -9` at random moments, again and again, and a look at what is there: every point that was confirmed, once, as it was.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Store } from '#server/ports.js';
import { openEmbeddedStoreHere } from '#server/store/embedded-store.js';
import { createInfluxStore } from '#server/store/influx-store.js';
import { ROOT } from '../house/source-files.js';
import { startInflux } from '../support/influx.js';
import { differences, pointsOf, sizeOf, storedIn } from './counted-points.js';

export interface KillTally {
  readonly kills: number;
  /** That hit a store while it sealed or compacted. */
  readonly inSealing: number;
  readonly confirmed: number;
}

/** A kill comes so long after the first write of a round, at most. */
const KILL_MS_MAX = 600;

/** What is found must be what was confirmed, or that and the whole write behind it, of which nobody could tell any more. */
async function check(store: Store, confirmed: number, isAtomic: boolean): Promise<number> {
  const found = await storedIn(store);
  const next = confirmed + sizeOf(confirmed);
  const isCount = isAtomic ? found.length === confirmed || found.length === next : found.length >= confirmed;
  const wrong = differences(found, pointsOf(0, found.length));
  if (!isCount || found.length > next || wrong.length > 0)
    throw new Error(`${confirmed} confirmed, ${found.length} found: ${JSON.stringify(wrong)}`);
  return found.length;
}

/**
 * The embedded store's process, killed `rounds` times on one folder.
 * @param sealEvery writes between two times of sealing and compacting; 0: only the log is written
 */
export async function killEmbedded(rounds: number, sealEvery: number, random: () => number): Promise<KillTally> {
  const folder = mkdtempSync(join(tmpdir(), 'oftob-killed-'));
  let count = 0;
  let inSealing = 0;
  try {
    for (let round = 0; round < rounds; round += 1) {
      const killed = await writeAndKill(folder, count, sealEvery, random() * KILL_MS_MAX);
      if (killed.isSealing) inSealing += 1;
      const opened = openEmbeddedStoreHere({ folder });
      if (!opened.ok) throw new Error(opened.fault.message);
      if (opened.value.counters().storeBlocksDamaged !== 0) throw new Error('a block is damaged');
      count = await check(opened.value, killed.confirmed, true);
      await opened.value.close();
    }
    return { kills: rounds, inSealing, confirmed: count };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function writeAndKill(
  folder: string,
  from: number,
  sealEvery: number,
  afterMs: number,
): Promise<{ confirmed: number; isSealing: boolean }> {
  const program = join(ROOT, 'tests', 'disk', 'writing-store.ts');
  const args = ['--conditions=source', '--import', 'tsx', program, folder, String(from), String(sealEvery)];
  const child = spawn(process.execPath, args, { cwd: ROOT, stdio: ['ignore', 'pipe', 'inherit'] });
  let said = '';
  child.stdout.on('data', (chunk) => {
    if (said === '') setTimeout(() => child.kill('SIGKILL'), afterMs);
    said += String(chunk);
  });
  const [code, signal] = (await once(child, 'close')) as [number | null, string | null];
  if (signal !== 'SIGKILL') throw new Error(`it ended by itself, with ${code}`);
  const lines = said.split('\n').slice(0, -1);
  const confirmed = Number(lines.findLast((line) => /^\d+$/.test(line)) ?? from);
  return { confirmed, isSealing: lines.at(-1) === 'sealing' };
}

/** A real InfluxDB, killed `rounds` times while the store writes to it. What was not confirmed is written again, as a post does. */
export async function killInflux(rounds: number, random: () => number): Promise<KillTally> {
  const influx = await startInflux();
  let count = 0;
  try {
    for (let round = 0; round < rounds; round += 1) {
      const store = createInfluxStore({ url: influx.url, database: 'killed' });
      let killing: Promise<void> | undefined;
      setTimeout(() => {
        killing = influx.kill();
      }, random() * KILL_MS_MAX);
      while (killing === undefined) {
        const written = await store.write(pointsOf(count, sizeOf(count)));
        if (written.ok) count += sizeOf(count);
      }
      await killing;
      await influx.restart();
      await check(store, count, false);
      await store.close();
    }
    return { kills: rounds, inSealing: 0, confirmed: count };
  } finally {
    await influx.stop();
  }
}
