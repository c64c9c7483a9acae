// Cut at any byte, any bit flipped: an outbox opens, gives everything whole, and nothing altered.
import {
  copyFileSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { OutboxRecord, OutboxSample } from '../ports.js';
import type { Outbox, PendingQuery, RecordDraft } from './outbox.js';
import { PAGE_BYTES } from './outbox-schema.js';
import { rowsOfPage } from './page-rows.js';
import { openSqliteOutbox } from './sqlite-outbox.js';

const NOON = Date.UTC(2026, 0, 15, 12);
const ALL: PendingQuery = { liveSince: 0, samplesMax: 1e6, recordsMax: 1e6, skip: () => false };
/** More for a long run: OUTBOX_DAMAGE_CASES=5000. */
const CASES = Number(process.env.OUTBOX_DAMAGE_CASES ?? 40);
const RECORDS = 240;
/** On one page. */
const PAGE_RECORDS_MAX = 8;

const open = (file: string): Outbox => {
  const opened = openSqliteOutbox({ file, reserveBytes: 0, writeDelayMs: 10_000 });
  if (!opened.ok) throw new Error(`${opened.fault.code} ${opened.fault.message}`);
  return opened.value;
};

/** Mulberry32. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const draft = (n: number): RecordDraft => ({
  samples: Array.from(
    { length: n % 11 === 0 ? 90 : 4 + (n % 6) },
    (_, i): OutboxSample => ({
      device: `d${n % 3}`,
      metric: `ac.l${i}.voltage`,
      value: n / 7 + i,
      reason: 'good',
      at: NOON + n,
    }),
  ),
  offline: n % 4 === 0,
  at: NOON + n,
});

const nameOf = ({ epoch, id }: OutboxRecord): string => `${epoch} ${id}`;
const textOf = (samples: readonly OutboxSample[]): string =>
  JSON.stringify(samples.map(({ device, metric, value, reason, at }) => [device, metric, value, reason, at]));

function pendingOf(outbox: Outbox): OutboxRecord[] {
  const records: OutboxRecord[] = [];
  for (const stream of ['live', 'history'] as const) {
    const seen = new Set<string>();
    for (;;) {
      const found = outbox.pending(stream, { ...ALL, skip: (epoch, id) => seen.has(`${epoch} ${id}`) });
      if (found.length === 0) break;
      for (const record of found) seen.add(nameOf(record));
      records.push(...found);
    }
  }
  return records;
}

describe('a damaged outbox', () => {
  let folder: string;
  let sound: string;
  let original: Map<string, OutboxRecord>;

  /** Copies the files of an open outbox, as a power cut leaves them. */
  function copy(from: string, to: string): void {
    for (const part of ['', '-wal']) if (existsSync(`${from}${part}`)) copyFileSync(`${from}${part}`, `${to}${part}`);
  }

  function fill(isCheckpointed: boolean): void {
    const file = join(folder, 'filling.db');
    let outbox = open(file);
    outbox.declare([{ device: 'd0', metric: 'ac.l0.voltage', description: 'V' }]);
    outbox.append(Array.from({ length: 20 }, (_, n) => draft(n)));
    outbox.close();
    outbox = open(file);
    for (let n = 20; n < RECORDS; n += 4) {
      outbox.append([0, 1, 2, 3].map((i) => draft(n + i)));
      outbox.sync();
    }
    if (isCheckpointed) {
      outbox.close();
      outbox = open(file);
    }
    original = new Map(pendingOf(outbox).map((record) => [nameOf(record), record]));
    sound = join(folder, 'sound.db');
    if (isCheckpointed) outbox.close();
    copy(file, sound);
    if (!isCheckpointed) outbox.close();
  }

  /** Samples of every record that stands whole on the page images of a file; pages from `from` to `to` left out. */
  function wholeIn(file: string): Set<string> {
    const whole = new Set<string>();
    for (const [part, start, step] of [
      ['', 0, PAGE_BYTES],
      ['-wal', 56, PAGE_BYTES + 24],
    ] as const) {
      if (!existsSync(`${file}${part}`)) continue;
      const bytes = readFileSync(`${file}${part}`);
      for (let at = start; at + PAGE_BYTES <= bytes.length; at += step)
        for (const { seq } of rowsOfPage(bytes.subarray(at, at + PAGE_BYTES), () => undefined).records)
          whole.add(`${seq}`);
    }
    return whole;
  }

  function check(file: string, what: string, missingMax = RECORDS): void {
    const whole = wholeIn(file);
    const outbox = open(file);
    try {
      const found = pendingOf(outbox);
      const known = new Map([...original.values()].map((record) => [textOf(record.samples), record]));
      for (const record of found) {
        const same = known.get(textOf(record.samples));
        if (same === undefined) throw new Error(`${what}: altered ${JSON.stringify(record)}`);
        if (same.offline !== record.offline || same.at !== record.at) throw new Error(`${what}: another head`);
      }
      const foundSamples = new Set(found.map(({ samples }) => textOf(samples)));
      for (const { samples, at } of original.values()) {
        const seq = (at ?? 0) - NOON + 1;
        if (whole.has(`${seq}`) && !foundSamples.has(textOf(samples)))
          throw new Error(`${what}: record ${seq} is whole and is not there`);
      }
      const missing = original.size - foundSamples.size;
      if (missing > missingMax) throw new Error(`${what}: ${missing} records are not there`);
      if (!outbox.append([draft(RECORDS + 1)]).ok) throw new Error(`${what}: takes nothing`);
      expect(outbox.deadLetters(1000).every(({ code }) => code === 'OUTBOX_RECORD_DAMAGED')).toBe(true);
    } finally {
      outbox.close();
    }
  }

  describe.each([
    ['in its write-ahead log', false],
    ['in its database', true],
  ])('%s', (_, isCheckpointed) => {
    beforeAll(() => {
      folder = mkdtempSync(join(tmpdir(), 'oftob-salvage-'));
      fill(isCheckpointed);
    });
    afterAll(() => rmSync(folder, { recursive: true }));
    afterEach(() => {
      for (const name of readdirSync(folder)) if (name.startsWith('case')) rmSync(join(folder, name));
    });

    test('is whole where nothing happened to it', () => {
      const file = join(folder, 'case.db');
      copy(sound, file);
      check(file, 'untouched', 0);
      const outbox = open(file);
      expect(outbox.salvage).toBeUndefined();
      expect(pendingOf(outbox)).toHaveLength(RECORDS + 1);
      outbox.close();
    });

    test('gives everything that is whole, whichever bit is flipped', () => {
      const random = seeded(isCheckpointed ? 1 : 2);
      for (let n = 0; n < CASES; n += 1) {
        const file = join(folder, `case${n}.db`);
        copy(sound, file);
        const part = existsSync(`${file}-wal`) && random() < 0.8 ? '-wal' : '';
        const bytes = readFileSync(`${file}${part}`);
        const at = Math.floor(random() * bytes.length);
        const bit = Math.floor(random() * 8);
        bytes[at] = (bytes[at] as number) ^ (1 << bit);
        writeFileSync(`${file}${part}`, bytes);
        check(file, `case ${n}: bit ${bit} of byte ${at} of the file${part}`, PAGE_RECORDS_MAX);
      }
    }, 600_000);

    test('gives everything that is whole, wherever it is cut', () => {
      const random = seeded(isCheckpointed ? 3 : 4);
      for (let n = 0; n < CASES; n += 1) {
        const file = join(folder, `case${n}.db`);
        copy(sound, file);
        const part = existsSync(`${file}-wal`) && random() < 0.8 ? '-wal' : '';
        const at = Math.floor(random() * statSync(`${file}${part}`).size);
        truncateSync(`${file}${part}`, at);
        check(file, `case ${n}: the file${part} cut at ${at}`);
      }
    }, 600_000);
  });
});
