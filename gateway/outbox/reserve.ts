// A file that keeps some space of the disk, so that a full disk can still be trimmed.
import { closeSync, fsyncSync, openSync, rmSync, statSync, writeSync } from 'node:fs';

export const RESERVE_BYTES = 16 * 1024 * 1024;
const CHUNK = new Uint8Array(1024 * 1024).fill(0x6f);

export interface Reserve {
  /** Takes the space, where the disk has it. */
  hold(): void;
  /** Gives the space to whoever writes next. */
  release(): void;
  isHeld(): boolean;
}

/** Written, not only announced: a sparse file would keep nothing. */
export function reserveBeside(file: string, bytes = RESERVE_BYTES): Reserve {
  const path = `${file}.reserve`;
  const isHeld = () => (statSync(path, { throwIfNoEntry: false })?.size ?? 0) >= bytes;
  const release = () => rmSync(path, { force: true });
  return {
    isHeld,
    release,
    hold() {
      if (isHeld()) return;
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
