import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ROOT } from './house/source-files.js';

/** Of what `npm run soak` does; the seed is printed, so that a failure can be run again. */
const SHARE = '0.01';

test('a seeded share of the soak holds', { timeout: 120_000 }, () => {
  const seed = String(1 + (Math.floor(Date.now() / 86_400_000) % 1_000_000));
  const args = [
    '--conditions=source',
    '--import',
    'tsx',
    join(ROOT, 'bench', 'soak.ts'),
    '--share',
    SHARE,
    '--seed',
    seed,
  ];
  const run = spawnSync(process.execPath, args, { cwd: ROOT, encoding: 'utf8' });
  expect(run.status, `seed ${seed}\n${run.stdout}\n${run.stderr}`).toBe(0);
  expect(run.stdout).toContain(`Seed ${seed}: everything held`);
});
