// The dead letters as a person asks for them: the newest, read from the end of the files.
import { type FileHandle, open } from 'node:fs/promises';
import { join } from 'node:path';
import { doorOf, parseJson } from '#contract/door.js';
import { type DeadLetter, DeadLetterSchema } from '#contract/http.js';
import { DEAD_LETTER_FILE, OLDER_DEAD_LETTER_FILE } from './dead-letter.js';

export type { DeadLetter };

const CHUNK_BYTES = 64 * 1024;
/** Longest line that is looked at; what writes them stays far below. */
const LINE_BYTES_MAX = 1024 * 1024;
const letterDoor = doorOf(DeadLetterSchema);

/** The newest letters, newest first. Lines that are none (a torn one, after a crash) are left out; so is a file that is not there. */
export async function readDeadLetters(folder: string, limit: number): Promise<DeadLetter[]> {
  const letters: DeadLetter[] = [];
  for (const name of [DEAD_LETTER_FILE, OLDER_DEAD_LETTER_FILE]) {
    const file = await open(join(folder, name)).catch(() => undefined);
    if (file === undefined) continue;
    try {
      for await (const line of linesFromEnd(file)) {
        if (letters.length >= limit) return letters;
        const letter = parseJson(letterDoor, line, LINE_BYTES_MAX);
        if (letter.ok) letters.push(letter.value);
      }
    } finally {
      await file.close();
    }
  }
  return letters;
}

/** Non-empty lines, last first. Holds one line and one chunk. */
async function* linesFromEnd(file: FileHandle): AsyncGenerator<Buffer> {
  let at = (await file.stat()).size;
  let rest: Buffer = Buffer.alloc(0);
  while (at > 0) {
    const length = Math.min(CHUNK_BYTES, at);
    at -= length;
    const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, at);
    rest = Buffer.concat([buffer.subarray(0, bytesRead), rest]);
    for (let end = rest.lastIndexOf(10); end >= 0; end = rest.lastIndexOf(10)) {
      if (end + 1 < rest.length) yield rest.subarray(end + 1);
      rest = rest.subarray(0, end);
    }
    if (rest.length > LINE_BYTES_MAX) rest = Buffer.alloc(0);
  }
  if (rest.length > 0) yield rest;
}
