import { appendFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createDeadLetters } from './dead-letter.js';
import { readDeadLetters } from './dead-letter-reader.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'oftob-letters-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

async function write(count: number, bytesMax: number, text = ''): Promise<void> {
  const letters = createDeadLetters(folder, bytesMax);
  for (let i = 0; i < count; i += 1) {
    letters.keep({ at: i, code: 'STORE_TYPE', post: 'langar', record: i, message: text });
    await letters.settled();
  }
}
const records = async (limit: number) => (await readDeadLetters(folder, limit)).map(({ record }) => record);

test('the newest are first, through both files, as many as were asked for', async () => {
  expect(await records(10)).toEqual([]);
  await write(60, 10_000, 'Қизил-Арт'.repeat(10));
  expect(await records(3)).toEqual([59, 58, 57]);
  const all = await records(500);
  expect(all.length).toBeGreaterThan(30);
  expect(all).toEqual(Array.from({ length: all.length }, (_, i) => 59 - i));
});

test('letters that lie across the pieces in which the file is read come whole', async () => {
  await write(300, 8_000_000, 'я'.repeat(700));
  const letters = await readDeadLetters(folder, 500);
  expect(letters.map(({ at }) => at)).toEqual(Array.from({ length: 300 }, (_, i) => 299 - i));
  expect(new Set(letters.map(({ message }) => message?.length))).toEqual(new Set([700]));
});

test('a torn line, as a power cut leaves it, costs this line only', async () => {
  await write(3, 10_000);
  appendFileSync(join(folder, 'dead-letters.jsonl'), '{"at":4,"code":"STO');
  expect(await records(10)).toEqual([2, 1, 0]);
  appendFileSync(
    join(folder, 'dead-letters.jsonl'),
    `\n[]\n{"at":"x"}\n${JSON.stringify({ at: 5, code: 'X', record: 5 })}\n`,
  );
  expect(await records(10)).toEqual([5, 2, 1, 0]);
});
