// What could not be used, kept for a person to look at: heads of payloads that do not parse, and refused samples.
import { appendFile, mkdir, rename, stat, truncate } from 'node:fs/promises';
import { join } from 'node:path';

export interface DeadLetters {
  /** Keeps the entry, one line of JSON. Never waits and never fails; what cannot be kept is counted. */
  keep(entry: object): void;
  counters(): Readonly<Record<string, number>>;
  /** Resolves when everything kept so far is in the file. */
  settled(): Promise<void>;
}

export const DEAD_LETTER_FILE = 'dead-letters.jsonl';
export const OLDER_DEAD_LETTER_FILE = 'dead-letters.1.jsonl';
/** Text that may wait for the disk. A flood of rubbish must not fill the memory. */
const WAITING_BYTES_MAX = 1024 * 1024;

/**
 * Writes to `folder`/dead-letters.jsonl. At half of `bytesMax` the file becomes dead-letters.1.jsonl, in place of the one
 * before, so that the newest letters are there and both together stay below the limit.
 */
export function createDeadLetters(folder: string, bytesMax: number): DeadLetters {
  const path = join(folder, DEAD_LETTER_FILE);
  const older = join(folder, OLDER_DEAD_LETTER_FILE);
  const counters = { deadLetters: 0, deadLettersSkipped: 0, deadLetterFilesTurned: 0, deadLetterFaults: 0 };
  let waiting: string[] = [];
  let waitingBytes = 0;
  let size: number | undefined;
  let writing = Promise.resolve();

  async function writeOut(): Promise<void> {
    const text = waiting.join('');
    waiting = [];
    waitingBytes = 0;
    if (text === '') return;
    try {
      if (size === undefined) {
        await mkdir(folder, { recursive: true });
        size = await stat(path).then(
          (found) => found.size,
          () => 0,
        );
      }
      if (size > 0 && size + text.length > bytesMax / 2) {
        await rename(path, older);
        counters.deadLetterFilesTurned += 1;
        size = 0;
      }
      await appendFile(path, text);
      size += Buffer.byteLength(text);
    } catch {
      counters.deadLetterFaults += 1;
      // The part that a full disk took would be the beginning of the next line.
      if (size !== undefined) await truncate(path, size).catch(() => undefined);
    }
  }

  return {
    keep(entry) {
      const line = `${JSON.stringify(entry)}\n`;
      if (waitingBytes + line.length > Math.min(WAITING_BYTES_MAX, bytesMax / 2)) {
        counters.deadLettersSkipped += 1;
        return;
      }
      counters.deadLetters += 1;
      waiting.push(line);
      waitingBytes += line.length;
      if (waiting.length === 1) writing = writing.then(writeOut);
    },
    counters: () => counters,
    settled: () => writing,
  };
}
