// What the outbox costs an SD card, what a power cut can take, and how many days fit: a post of 60 metrics polled each 10 s on
// virtual time, through the gateway's real reader, recorder and outbox. One day (or DAYS of them) is measured; 30 are said from it.
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseGatewayConfig } from '#gateway/config.js';
import { createGateway } from '#gateway/gateway.js';
import type { Outbox, RecordDraft } from '#gateway/outbox/outbox.js';
import { openSqliteOutbox } from '#gateway/outbox/sqlite-outbox.js';
import { createPostReader } from '#gateway/poll/post-reader.js';
import { loadCatalog } from '#profiles/catalog.js';
import { createSimulation } from '#simulators/simulation.js';
import { resumeRandom } from '#simulators/world/random.js';
import { directBus } from '#tests/support/direct-bus.js';
import { MemoryOutbox } from '#tests/support/memory-outbox.js';
import { risingNumber } from '#tests/support/test-post.js';
import { VirtualTime } from '#tests/support/virtual-time.js';
import { printTable } from './table.js';
import { configOf, POWER_AND_WATER, scenarioOf, THREE_PHASES, type WirePost } from './wire/posts.js';

const DAYS = Number(process.env.DAYS ?? 1);
const DAY_MS = 86_400_000;
const BATCH_MS = 60_000;
const WRITE_DELAY_MS = 10_000;
const START = Date.UTC(2026, 2, 20);
const GB = 1e9;
const OFFLINE_DAYS = 30;
const { profiles: catalog } = loadCatalog();
const quiet = { info: () => {}, warn: () => {}, error: () => {} };

/** Drafts as the gateway appended them together. */
interface Appended {
  readonly at: number;
  readonly drafts: readonly RecordDraft[];
}

/** What a gateway without a link appends in the time. */
async function recordDays(post: WirePost, full: boolean): Promise<Appended[]> {
  const time = new VirtualTime(START);
  const random = resumeRandom(11).next;
  const world = createSimulation(scenarioOf(post), { startAt: START, catalog }).posts.get(post.id);
  const config = parseGatewayConfig(configOf(post, { dataFolder: '/nowhere', full }), catalog);
  if (world === undefined || !config.ok) throw new Error('no post');
  const outbox = new MemoryOutbox({ epoch: '0123456789abcdef' });
  const appended: Appended[] = [];
  outbox.append = (drafts) => {
    appended.push({ at: time.now(), drafts });
    return { ok: true, value: [] };
  };
  const reader = createPostReader(config.value, {
    buses: new Map([['main', directBus(world, 'main')]]),
    catalog,
    clock: time,
    scheduler: time,
  });
  const gateway = createGateway({
    config: config.value,
    profiles: catalog,
    reader,
    outbox,
    identity: { publicKey: 'k'.repeat(60), births: risingNumber(), connections: risingNumber() },
    openLink: () => ({ publish: () => false, bufferedBytes: () => 0, close: async () => {}, abort: () => {} }),
    clock: time,
    scheduler: time,
    random,
    log: quiet,
    version: '0.1.0',
    memoryBytes: () => 90e6,
  });
  gateway.start();
  await time.advance(DAYS * DAY_MS);
  await gateway.stop();
  return appended;
}

/** Bytes that this process gave the disk to write. */
function writtenBytes(): number {
  return Number(/^write_bytes: (\d+)/m.exec(readFileSync('/proc/self/io', 'utf8'))?.[1]);
}

interface Measured {
  readonly writtenPerDay: number;
  readonly samples: number;
  readonly records: number;
  readonly commits: number;
  readonly fileBytes: number;
  readonly openMs: number;
  readonly unsyncedMax: number;
}

function receiptAll(outbox: Outbox, at: number): void {
  for (const stream of ['live', 'history'] as const) {
    const records = outbox.pending(stream, { liveSince: at, samplesMax: 1e9, recordsMax: 1e9, skip: () => false });
    const ids = records.map(({ id }) => id);
    outbox.markSent(outbox.epoch, ids);
    const [first, last] = [ids[0], ids.at(-1)];
    if (first !== undefined && last !== undefined) outbox.markReceipted(outbox.epoch, [[first, last]], at);
  }
}

/** Appends the same to an outbox on this disk, syncing as the gateway does; connected, all of a batch is receipted. */
function measure(appended: readonly Appended[], writeDelayMs: number, connected: boolean): Measured {
  const folder = mkdtempSync(join(tmpdir(), 'oftob-bench-outbox-'));
  const file = join(folder, 'outbox.sqlite');
  const open = (): Outbox => {
    const opened = openSqliteOutbox({ file, reserveBytes: 0, writeDelayMs });
    if (!opened.ok) throw new Error(opened.fault.message);
    return opened.value;
  };
  try {
    let outbox = open();
    const before = writtenBytes();
    let [samples, records, unsynced, unsyncedMax, syncedAt, batchAt] = [0, 0, 0, 0, START, START];
    for (const { at, drafts } of appended) {
      if (at - syncedAt >= writeDelayMs) {
        outbox.sync();
        [unsynced, syncedAt] = [0, at];
      }
      if (connected && at - batchAt >= BATCH_MS) {
        outbox.sync();
        receiptAll(outbox, at);
        [unsynced, syncedAt, batchAt] = [0, at, at];
      }
      outbox.append(drafts.map((draft) => ({ ...draft, offline: !connected })));
      const added = drafts.reduce((sum, draft) => sum + draft.samples.length, 0);
      samples += added;
      records += drafts.length;
      unsynced += added;
      if (writeDelayMs > 0) unsyncedMax = Math.max(unsyncedMax, unsynced);
    }
    outbox.sync();
    outbox.close();
    const written = writtenBytes() - before;
    const openedAt = performance.now();
    outbox = open();
    const openMs = performance.now() - openedAt;
    outbox.close();
    return {
      writtenPerDay: written / DAYS,
      samples,
      records,
      commits: appended.length,
      fileBytes: statSync(file).size,
      openMs,
      unsyncedMax,
    };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const mb = (bytes: number): string => (bytes / 1e6).toFixed(1);
const rows: (readonly (string | number)[])[] = [];
for (const [post, full] of [
  [POWER_AND_WATER, false],
  [THREE_PHASES, false],
  [POWER_AND_WATER, true],
] as const) {
  const appended = await recordDays(post, full);
  for (const [how, delayMs, connected] of [
    ['offline', WRITE_DELAY_MS, false],
    ['connected', WRITE_DELAY_MS, true],
    ...(post === POWER_AND_WATER && !full ? ([['offline, delay 0', 0, false]] as const) : []),
  ] as const) {
    const measured = measure(appended, delayMs, connected);
    const daysInGb = GB / (measured.fileBytes / DAYS);
    rows.push([
      post.id,
      full ? 'full' : 'by exception',
      how,
      Math.round(measured.samples / DAYS),
      Math.round(measured.commits / DAYS),
      mb(measured.writtenPerDay),
      (measured.writtenPerDay / (measured.commits / DAYS) / 1000).toFixed(2),
      (measured.fileBytes / measured.samples).toFixed(1),
      mb(measured.fileBytes / DAYS),
      Math.floor(daysInGb),
      daysInGb >= OFFLINE_DAYS ? 'yes' : 'no',
      measured.unsyncedMax,
      measured.openMs.toFixed(0),
    ]);
  }
}
printTable(
  `The outbox of a 60-metric post polled each 10 s, ${DAYS} virtual day(s); ${OFFLINE_DAYS} days and 1 GB said from that`,
  [
    'post',
    'samples',
    'link',
    'samples/day',
    'commits/day',
    'MB written/day',
    'kB/commit',
    'B/sample',
    'MB on disk/day',
    'days in 1 GB',
    `${OFFLINE_DAYS} d fit`,
    'samples a cut takes',
    'open ms',
  ],
  rows,
);
