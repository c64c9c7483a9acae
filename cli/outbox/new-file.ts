// A file that is there whole or not at all, also when the stick is pulled out or runs full.
import { createHash } from 'node:crypto';
import { closeSync, existsSync, fsyncSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { failed, ok, type Result } from '#domain/result.js';
import { type CommandFault, fault } from '../command.js';

export interface NewFile {
  /** Throws a {@link NewFileError}. */
  append(bytes: Uint8Array): void;
  /** It is on the disk, under its name. Throws a {@link NewFileError}. */
  finish(): { readonly bytes: number; readonly sha256: string };
  /** Leaves nothing behind, unless it is finished. */
  discard(): void;
}

export class NewFileError extends Error {
  constructor(readonly fault: CommandFault) {
    super(fault.message);
  }
}

const BUFFER_BYTES = 256 * 1024;

/** Begins `<file>.part`. Faults: `CARRY_FILE_EXISTS`, `CARRY_UNWRITABLE`, `CARRY_DISK_FULL`. */
export function beginFile(file: string): Result<NewFile, CommandFault> {
  if (existsSync(file)) return fault('CARRY_FILE_EXISTS', `${file} is there already; choose another name`);
  try {
    return ok(new PartFile(file));
  } catch (error) {
    return failed(faultOf(file, error));
  }
}

class PartFile implements NewFile {
  readonly #file: string;
  readonly #part: string;
  readonly #handle: number;
  readonly #hash = createHash('sha256');
  #waiting: Uint8Array[] = [];
  #waitingBytes = 0;
  #bytes = 0;
  #isOpen = true;

  constructor(file: string) {
    this.#file = file;
    this.#part = `${file}.part`;
    this.#handle = openSync(this.#part, 'w');
  }

  append(bytes: Uint8Array): void {
    this.#hash.update(bytes);
    this.#bytes += bytes.length;
    this.#waiting.push(bytes);
    this.#waitingBytes += bytes.length;
    if (this.#waitingBytes >= BUFFER_BYTES) this.#guard(() => this.#write());
  }

  finish(): { readonly bytes: number; readonly sha256: string } {
    this.#guard(() => {
      this.#write();
      fsyncSync(this.#handle);
      this.#close();
      renameSync(this.#part, this.#file);
      syncFolder(dirname(this.#file));
    });
    return { bytes: this.#bytes, sha256: this.#hash.digest('hex') };
  }

  discard(): void {
    try {
      this.#close();
      rmSync(this.#part, { force: true });
    } catch {
      // The stick is gone, and the part with it: that it could not be written is told already.
    }
  }

  #write(): void {
    const bytes = Buffer.concat(this.#waiting);
    this.#waiting = [];
    this.#waitingBytes = 0;
    for (let written = 0; written < bytes.length; ) written += writeSync(this.#handle, bytes, written);
  }

  #close(): void {
    if (this.#isOpen) closeSync(this.#handle);
    this.#isOpen = false;
  }

  #guard(task: () => void): void {
    try {
      task();
    } catch (error) {
      throw new NewFileError(faultOf(this.#file, error));
    }
  }
}

function faultOf(file: string, error: unknown): CommandFault {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === 'ENOSPC' || code === 'EDQUOT' || code === 'EFBIG')
    return {
      code: 'CARRY_DISK_FULL',
      message: `there is no room for ${file}; take a larger stick, or carry less with --since. Nothing was left on it`,
    };
  return { code: 'CARRY_UNWRITABLE', message: `cannot write ${file} (${message}); look whether the stick is mounted` };
}

/** So that a stick that is pulled out next has the file under its name. Not every file system of a stick knows how. */
function syncFolder(folder: string): void {
  const handle = openSync(folder, 'r');
  try {
    fsyncSync(handle);
  } catch (error) {
    if (!['EINVAL', 'ENOTSUP', 'EPERM'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
  } finally {
    closeSync(handle);
  }
}
