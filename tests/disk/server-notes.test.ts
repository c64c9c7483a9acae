import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { AlarmSaver } from '#server/alarms/alarm-saver.js';
import { createDeadLetters, DEAD_LETTER_FILE } from '#server/ingest/dead-letter.js';
import type { Registry } from '#server/ports.js';
import { createSqliteRegistry } from '#server/store/sqlite-registry.js';
import { mountSmallDisk, type SmallDisk } from '../support/small-disk.js';
import { T0 } from './counted-points.js';
import { describeOnSmallDisks } from './on-small-disks.js';

const MEGABYTE = 1024 * 1024;
let registry: Registry | undefined;

afterEach(() => registry?.close());

type Entry = Parameters<Registry['saveAlarms']>[1][number];

function entryOf(n: number): Entry {
  const names = { alarm: 'langar/postSilent', post: 'langar', rule: 'postSilent', event: 'raised', by: null };
  return { at: T0 + n, ...names, from: 'normal', to: 'unacknowledged', comment: 'x'.repeat(500), historical: false };
}

function openRegistry({ folder }: SmallDisk): Registry {
  const opened = createSqliteRegistry({ folder });
  if (!opened.ok) throw new Error(opened.fault.message);
  return opened.value;
}

describeOnSmallDisks('what the server notes on a disk that runs full', import.meta.url, () => {
  test('alarm states and journal entries that could not be saved wait, counted, and are saved when there is room', () => {
    const disk = mountSmallDisk(40);
    registry = openRegistry(disk);
    const saver = new AlarmSaver(registry, { info() {}, warn() {}, error() {} });
    let n = 0;
    for (; n < 200 && saver.counters().alarmSavesFailed === 0; n += 1) {
      disk.fill();
      saver.save(
        [],
        Array.from({ length: 100 }, (_, i) => entryOf(n * 100 + i)),
      );
    }
    expect(saver.counters()).toEqual({ alarmSavesFailed: 1, alarmEntriesLost: 0 });
    expect(registry.journal({ limit: 1e6 }).length).toBe((n - 1) * 100);
    disk.clear();
    saver.flush();
    const journal = registry.journal({ limit: 1e6 });
    expect(journal.map(({ at }) => at - T0).reverse()).toEqual(Array.from({ length: n * 100 }, (_, i) => i));
  });

  test('a dead letter that the disk does not take is counted, and breaks no other', async () => {
    const disk = mountSmallDisk(4);
    const letters = createDeadLetters(disk.folder, 2 * MEGABYTE);
    const keep = async (n: number): Promise<void> => {
      letters.keep({ n, head: 'x'.repeat(700) });
      await letters.settled();
    };
    await keep(0);
    disk.fill();
    for (let n = 1; n < 20; n += 1) await keep(n);
    disk.clear();
    for (let n = 20; n < 25; n += 1) await keep(n);
    const { deadLetterFaults } = letters.counters();
    expect(deadLetterFaults).toBeGreaterThan(0);
    const lines = readFileSync(join(disk.folder, DEAD_LETTER_FILE), 'utf8').split('\n').slice(0, -1);
    const whole = lines.flatMap((line) => {
      try {
        return [(JSON.parse(line) as { n: number }).n];
      } catch {
        return [];
      }
    });
    expect(whole).toEqual(expect.arrayContaining([0, 20, 21, 22, 23, 24]));
    expect(whole.length).toBe(25 - (deadLetterFaults ?? 0));
  });
});
