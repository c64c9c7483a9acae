// What a power cut leaves of an SQLite database: the log up to the last frame that was synced, and after it nothing or rubbish.
import { closeSync, openSync, readSync, statSync, truncateSync, writeSync } from 'node:fs';
import type { Random } from '#domain/clock.js';

/** What becomes of the bytes after the last synced frame. */
export type Cut = 'none' | 'dropped' | 'garbled';

interface Mark {
  /** Of the log's header: another one means that the log began anew. */
  readonly salt: string;
  /** Where the valid frames end, bytes. */
  readonly end: number;
}

const HEADER_BYTES = 32;
const FRAME_HEADER_BYTES = 24;

/** Remembers how much of a database's log is on the disk for good. */
export class WalWatch {
  readonly #file: string;
  #mark: Mark | undefined;
  #changed: string;

  constructor(file: string) {
    this.#file = file;
    this.#changed = changeOf(file);
    this.#mark = readMark(`${file}-wal`, undefined);
  }

  /** Everything in the log is synced. */
  synced(): void {
    this.#mark = readMark(`${this.#file}-wal`, this.#mark);
  }

  /** To be called after each write: SQLite syncs the log before it moves it into the database. */
  look(): void {
    const changed = changeOf(this.#file);
    if (changed === this.#changed) return;
    this.#changed = changed;
    this.synced();
  }

  /** Where the synced part of the present log ends. */
  syncedEnd(): number {
    const now = readMark(`${this.#file}-wal`, this.#mark);
    if (now === undefined || this.#mark === undefined) return 0;
    return now.salt === this.#mark.salt ? this.#mark.end : 0;
  }
}

function changeOf(file: string): string {
  const { mtimeNs, size } = statSync(file, { bigint: true });
  return `${mtimeNs} ${size}`;
}

/** Walks the frames from where an earlier look at the same log ended. */
function readMark(wal: string, before: Mark | undefined): Mark | undefined {
  const size = statSync(wal, { throwIfNoEntry: false })?.size ?? 0;
  if (size < HEADER_BYTES) return undefined;
  const file = openSync(wal, 'r');
  try {
    const header = Buffer.alloc(HEADER_BYTES);
    readSync(file, header, 0, HEADER_BYTES, 0);
    const pageBytes = header.readUInt32BE(8);
    const salt = header.toString('hex', 16, 24);
    const frame = Buffer.alloc(FRAME_HEADER_BYTES);
    let end = before?.salt === salt ? before.end : HEADER_BYTES;
    for (const frameBytes = FRAME_HEADER_BYTES + pageBytes; end + frameBytes <= size; end += frameBytes) {
      readSync(file, frame, 0, FRAME_HEADER_BYTES, end);
      if (frame.toString('hex', 8, 16) !== salt) break;
    }
    return { salt, end };
  } finally {
    closeSync(file);
  }
}

/** Makes of a copy of a database what a power cut would have left. */
export function cutPower(copy: string, watch: WalWatch, cut: Exclude<Cut, 'none'>, random: Random): void {
  const wal = `${copy}-wal`;
  const size = statSync(wal, { throwIfNoEntry: false })?.size ?? 0;
  const end = watch.syncedEnd();
  if (end >= size) return;
  if (cut === 'dropped') {
    truncateSync(wal, end);
    return;
  }
  const rubbish = Buffer.alloc(size - end);
  for (let place = 0; place < rubbish.length; place += 1) rubbish[place] = Math.floor(random() * 256);
  const file = openSync(wal, 'r+');
  try {
    writeSync(file, rubbish, 0, rubbish.length, end);
  } finally {
    closeSync(file);
  }
}
