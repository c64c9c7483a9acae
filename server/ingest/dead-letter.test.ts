import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createDeadLetters } from './dead-letter.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'oftob-dead-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

test('letters stand in the file one by line, in order, also after opening it again', async () => {
  for (const round of [0, 1]) {
    const letters = createDeadLetters(folder, 100_000);
    for (let i = 0; i < 20; i += 1) letters.keep({ round, i });
    await letters.settled();
  }
  const lines = readFileSync(join(folder, 'dead-letters.jsonl'), 'utf8').trim().split('\n');
  expect(lines.map((line) => JSON.parse(line))).toEqual(
    [0, 1].flatMap((round) => Array.from({ length: 20 }, (_, i) => ({ round, i }))),
  );
});

test('both files together stay below the limit, and the newest letter is there', async () => {
  const letters = createDeadLetters(folder, 10_000);
  for (let i = 0; i < 400; i += 1) {
    letters.keep({ i, text: 'x'.repeat(100) });
    await letters.settled();
  }
  const size = readdirSync(folder).reduce((sum, name) => sum + statSync(join(folder, name)).size, 0);
  expect(size).toBeLessThanOrEqual(10_000);
  expect(size).toBeGreaterThan(4000);
  expect(readFileSync(join(folder, 'dead-letters.jsonl'), 'utf8')).toContain('"i":399,');
  expect(letters.counters().deadLetterFilesTurned).toBeGreaterThan(5);
});

test('a flood is counted, not kept in memory', async () => {
  const letters = createDeadLetters(folder, 10_000);
  for (let i = 0; i < 1000; i += 1) letters.keep({ i, text: 'x'.repeat(100) });
  expect(letters.counters().deadLettersSkipped).toBeGreaterThan(900);
  await letters.settled();
});

test('a folder that cannot be written costs letters, nothing else', async () => {
  const path = join(folder, 'file');
  writeFileSync(path, '');
  const letters = createDeadLetters(path, 10_000);
  letters.keep({ lost: true });
  await letters.settled();
  expect(letters.counters()).toMatchObject({ deadLetterFaults: 1 });
});
