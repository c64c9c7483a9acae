// Tests that mount disks, also for those who may not mount any.
import { spawn } from 'node:child_process';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, test } from 'vitest';
import { ROOT } from '../house/source-files.js';
import { mayMount, unmountAll } from '../support/small-disk.js';

const IN_NAMESPACE = 'OFTOB_TEST_NAMESPACE';

/**
 * The tests of one file that mount disks; `fileUrl` is its `import.meta.url`. Where this process may not mount, the file runs
 * in a namespace where it may; where that cannot be made either, it fails and says what to run.
 */
export function describeOnSmallDisks(name: string, fileUrl: string, body: () => void): void {
  if (process.env[IN_NAMESPACE] !== undefined || mayMount()) {
    describe(name, () => {
      afterEach(unmountAll);
      body();
    });
    return;
  }
  test(`${name}, in a namespace of its own`, { timeout: 600_000 }, async () => {
    const vitest = join(ROOT, 'node_modules', 'vitest', 'vitest.mjs');
    const file = relative(ROOT, fileURLToPath(fileUrl));
    const child = spawn('unshare', ['-rm', process.execPath, vitest, 'run', '--project', 'tests', file], {
      cwd: ROOT,
      env: { ...process.env, [IN_NAMESPACE]: '1' },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let said = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (said += String(chunk)));
    const code = await new Promise((resolve) => child.once('close', resolve).once('error', (error) => resolve(error)));
    expect(code, `Run as root: npx vitest run ${file}\n${said}`).toBe(0);
  });
}
