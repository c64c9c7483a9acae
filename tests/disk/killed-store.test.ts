import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openEmbeddedStoreHere } from '#server/store/embedded-store.js';
import { ROOT } from '../house/source-files.js';
import { differences, pointsOf, storedIn } from './counted-points.js';

const ROUNDS = 6;
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'oftob-killed-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** Lets a process write until it has confirmed a few writes more than `writes`, kills it, and gives what it had confirmed. */
async function writeAndKill(from: number, writes: number): Promise<number> {
  const program = join(ROOT, 'tests', 'disk', 'writing-store.ts');
  const child = spawn(process.execPath, ['--conditions=source', '--import', 'tsx', program, folder, String(from)], {
    cwd: ROOT,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let said = '';
  child.stdout.on('data', (chunk) => {
    said += String(chunk);
    if (said.split('\n').length > writes) child.kill('SIGKILL');
  });
  const [code, signal] = (await once(child, 'close')) as [number | null, string | null];
  expect([code, signal]).toEqual([null, 'SIGKILL']);
  const lines = said.split('\n').slice(0, -1);
  return Number(lines.at(-1));
}

test('a store whose process is killed in the middle of writing has every point that was confirmed, as it was', async () => {
  let from = 0;
  for (let round = 0; round < ROUNDS; round += 1) {
    const confirmed = await writeAndKill(from, 5 + round * 23);
    expect(confirmed).toBeGreaterThan(from);
    const opened = openEmbeddedStoreHere({ folder });
    if (!opened.ok) throw new Error(opened.fault.message);
    const found = await storedIn(opened.value);
    // One write more may be there, whole, that it could not tell of any more.
    expect(found.length).toBeGreaterThanOrEqual(confirmed);
    expect([confirmed, confirmed + 1 + ((confirmed * 7919) % 997)]).toContain(found.length);
    expect(differences(found, pointsOf(0, found.length))).toEqual([]);
    await opened.value.close();
    from = found.length;
  }
});
