// A disk of a few megabytes that a test can fill to the last byte: a tmpfs, mounted for that test alone.
import { spawn, spawnSync } from 'node:child_process';
import {
  closeSync,
  existsSync,
  mkdtempSync,
  openSync,
  rmdirSync,
  rmSync,
  statfsSync,
  statSync,
  truncateSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface SmallDisk {
  readonly folder: string;
  /** A file that belongs to nobody grows until only so many bytes are free. */
  fill(leaveBytes?: number): void;
  /** That file gives so many bytes back; without a number all of them. */
  clear(bytes?: number): void;
  freeBytes(): number;
  /** Takes the disk away, whatever is on it. Twice does no harm. */
  unmount(): void;
}

const mounted = new Set<SmallDisk>();
const CHUNK = Buffer.alloc(64 * 1024, 0x78);

/**
 * Mounts an empty disk. Throws, with the line to run, where the right is missing. The disk goes with {@link unmountAll}, and
 * at the latest when this process ends, however it ends.
 */
export function mountSmallDisk(megabytes: number): SmallDisk {
  const folder = mkdtempSync(join(tmpdir(), 'oftob-disk-'));
  const { status, stderr } = spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m`, 'tmpfs', folder]);
  if (status !== 0) {
    rmdirSync(folder);
    throw new Error(`No disk can be mounted: ${stderr}. Run as root, or: unshare -rm npx vitest run tests/disk`);
  }
  const watcher = unmountWhenThisProcessEnds(folder);
  const foreign = join(folder, 'foreign');
  const freeBytes = () => {
    const { bavail, bsize } = statfsSync(folder);
    return bavail * bsize;
  };
  const disk: SmallDisk = {
    folder,
    freeBytes,
    fill: (leaveBytes = 0) => grow(foreign, () => freeBytes() - leaveBytes),
    clear(bytes) {
      if (bytes === undefined) rmSync(foreign, { force: true });
      else if (existsSync(foreign)) truncateSync(foreign, Math.max(0, statSync(foreign).size - bytes));
    },
    unmount() {
      if (!mounted.delete(disk)) return;
      spawnSync('umount', ['-l', folder]);
      rmdirSync(folder);
      watcher.stdin.end();
    },
  };
  mounted.add(disk);
  return disk;
}

/** A shell that reads until this process is gone, killed or not, and then unmounts what is still there. */
function unmountWhenThisProcessEnds(folder: string) {
  const script = 'cat >/dev/null; umount -l "$0" && rmdir "$0"';
  const watcher = spawn('sh', ['-c', script, folder], { stdio: ['pipe', 'ignore', 'ignore'], detached: true });
  watcher.unref();
  return watcher;
}

function grow(file: string, roomBytes: () => number): void {
  const handle = openSync(file, 'a');
  try {
    for (let room = roomBytes(); room > 0; room = roomBytes())
      writeSync(handle, CHUNK, 0, Math.min(CHUNK.length, room));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
  } finally {
    closeSync(handle);
  }
}

/** For `afterEach`: a test that fails leaves no disk behind. */
export function unmountAll(): void {
  for (const disk of mounted) disk.unmount();
}

/** Whether {@link mountSmallDisk} would work. */
export function mayMount(): boolean {
  try {
    mountSmallDisk(1).unmount();
    return true;
  } catch {
    return false;
  }
}
