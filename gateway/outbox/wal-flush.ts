// Puts the write-ahead log on the disk: what was committed without a flush is safe from a power cut then.
import { closeSync, fdatasyncSync, fstatSync, openSync, statSync } from 'node:fs';

export class WalFlush {
  readonly #path: string;
  #handle: number | undefined;
  #inode = -1;

  constructor(file: string) {
    this.#path = `${file}-wal`;
  }

  /** Flushes the log; false where there is none, and what was committed is in the database itself. Throws what the system throws. */
  flush(): boolean {
    // SQLite keeps one log as long as it has the database open; a log that is not the same file would be flushed in vain.
    const inode = statSync(this.#path, { throwIfNoEntry: false })?.ino;
    if (inode === undefined) return false;
    if (this.#handle === undefined || inode !== this.#inode) {
      this.close();
      this.#handle = openSync(this.#path, 'r+');
      this.#inode = fstatSync(this.#handle).ino;
    }
    fdatasyncSync(this.#handle);
    return true;
  }

  close(): void {
    if (this.#handle !== undefined) closeSync(this.#handle);
    this.#handle = undefined;
  }
}
