import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, test } from 'vitest';
import { ROOT } from '../house/source-files.js';
import { mountSmallDisk, unmountAll } from '../support/small-disk.js';
import { describeOnSmallDisks } from './on-small-disks.js';

const isMounted = (folder: string): boolean => readFileSync('/proc/mounts', 'utf8').includes(` ${folder} `);

describeOnSmallDisks('a small disk', import.meta.url, () => {
  test('runs full to the last byte, and has room again', () => {
    const disk = mountSmallDisk(2);
    expect(disk.freeBytes()).toBe(2 * 1024 * 1024);
    disk.fill(8192);
    expect(disk.freeBytes()).toBe(8192);
    disk.fill();
    expect(disk.freeBytes()).toBe(0);
    expect(() => writeFileSync(join(disk.folder, 'more'), 'x')).toThrow('ENOSPC');
    disk.clear(65_536);
    expect(disk.freeBytes()).toBe(65_536);
    disk.clear();
    writeFileSync(join(disk.folder, 'more'), 'x');
  });

  test('goes away with what is open on it', () => {
    const disk = mountSmallDisk(1);
    writeFileSync(join(disk.folder, 'file'), 'x');
    expect(isMounted(disk.folder)).toBe(true);
    unmountAll();
    disk.unmount();
    expect([isMounted(disk.folder), existsSync(disk.folder)]).toEqual([false, false]);
  });

  test('goes away with a process that is killed', async () => {
    const module = pathToFileURL(join(ROOT, 'tests/support/small-disk.ts')).href;
    const script = `const { mountSmallDisk } = await import('${module}'); console.log(mountSmallDisk(1).folder); setInterval(() => {}, 1000);`;
    const child = spawn(
      process.execPath,
      ['--conditions=source', '--import', 'tsx', '--input-type=module', '-e', script],
      {
        cwd: ROOT,
        stdio: ['ignore', 'pipe', 'inherit'],
      },
    );
    const [line] = (await once(child.stdout, 'data')) as [Buffer];
    const folder = line.toString().trim();
    expect(isMounted(folder)).toBe(true);
    child.kill('SIGKILL');
    await expect.poll(() => existsSync(folder), { timeout: 10_000 }).toBe(false);
    expect(isMounted(folder)).toBe(false);
  });
});
