// A file that keeps some space of the disk, so that a full disk can still be trimmed.
import { closeSync, fsyncSync, openSync, rmSync, statfsSync, statSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';

export const RESERVE_BYTES = 16 * 1024 * 1024;
const CHUNK = new Uint8Array(1024 * 1024).fill(0x6f);

export interface Reserve {
  /** Takes the space, where the disk has it. */
  hold(): void;
  /** Gives the space to whoever writes next. */
  release(): void;
  isHeld(): boolean;
  /** How much the database may grow without the space that the reserve stands for: half of what is free beyond half of it. */
  growthBytes(): number;
}

/** Written, not only announced: a sparse file would keep nothing. */
export function reserveBeside(file: string, bytes = RESERVE_BYTES): Reserve {
  const path = `${file}.reserve`;
  const isHeld = () => (statSync(path, { throwIfNoEntry: false })?.size ?? 0) >= bytes;
  const freeBytes = () => {
    const { bavail, bsize } = statfsSync(dirname(file));
    return bavail * bsize;
  };
  const release = () => rmSync(path, { force: true });
  return {
    isHeld,
    release,
    growthBytes: () => (isHeld() ? Number.POSITIVE_INFINITY : Math.max(0, freeBytes() - bytes / 2) / 2),
    hold() {
      // Not even tried on a disk that stays full: each try would wear it.
      if (isHeld() || freeBytes() < bytes * 1.25) return;
      try {
        const handle = openSync(path, 'w', 0o600);
        try {
          for (let written = 0; written < bytes; )
            written += writeSync(handle, CHUNK, 0, Math.min(CHUNK.length, bytes - written));
          fsyncSync(handle);
        } finally {
          closeSync(handle);
        }
      } catch {
        release();
      }
    },
  };
}
