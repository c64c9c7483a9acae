import { copyFileSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { codeOf } from '#domain/quality.js';
import { goodReading } from '#domain/reading.js';
import { failed } from '#domain/result.js';
import { FakeCentre } from '#tests/support/fake-centre.js';
import { MemoryOutbox } from '#tests/support/memory-outbox.js';
import { METER, makeTestPost, NOON, risingNumber } from '#tests/support/test-post.js';
import { VirtualTime } from '#tests/support/virtual-time.js';
import type { Outbox } from './outbox/outbox.js';
import { openSqliteOutbox } from './outbox/sqlite-outbox.js';
import type { OutboxSample } from './ports.js';

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const EPOCH = '0123456789abcdef';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'oftob-gateway-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

function open(file: string): Outbox {
  const opened = openSqliteOutbox({ file, reserveBytes: 0 });
  if (!opened.ok) throw new Error(opened.fault.message);
  return opened.value;
}
/** The disk as a power cut leaves it. */
function cutPower(file: string): string {
  const target = join(mkdtempSync(join(folder, 'cut-')), 'outbox.db');
  const name = file.split('/').at(-1) ?? '';
  const place = file.slice(0, -name.length);
  for (const entry of readdirSync(place).filter((other) => other === name || other === `${name}-wal`))
    copyFileSync(join(place, entry), target + entry.slice(name.length));
  return target;
}
/** Random numbers of Park and Miller's generator. */
function randomOf(seed: number) {
  let state = (seed % 2147483646) + 1;
  return () => {
    state = (state * 48271) % 2147483647;
    return (state - 1) / 2147483646;
  };
}
const memory = () => new MemoryOutbox({ epoch: EPOCH });

describe('nothing is lost', () => {
  test('a power cut with records left: the next start sends them under their old names', async () => {
    const time = new VirtualTime(NOON);
    const centre = new FakeCentre(time);
    const file = join(mkdtempSync(join(folder, 'post-')), 'outbox.db');
    const numbers = { births: risingNumber(), connections: risingNumber() };
    const before = makeTestPost({ time, centre, outbox: open(file), numbers });
    before.gateway.start();
    await time.advance(5 * MINUTE);
    centre.faults.storeDown = true;
    await time.advance(30 * MINUTE);
    centre.breakLinks();
    centre.faults.storeDown = false;
    const after = makeTestPost({ time, centre, outbox: open(cutPower(file)), numbers });
    const epochs = new Set(centre.data.map(({ epoch }) => epoch));
    void before.gateway.stop();
    after.gateway.start();
    await time.advance(5 * MINUTE);
    expect(before.recorded.every((sample) => centre.has(sample))).toBe(true);
    expect(after.outbox.epoch).not.toBe(before.outbox.epoch);
    const sentAgain = centre.data.filter(({ at, epoch }) => at > NOON + 35 * MINUTE && epochs.has(epoch));
    expect(sentAgain.length).toBeGreaterThan(0);
    expect(sentAgain.some(({ historical }) => historical)).toBe(true);
    expect(after.gateway.status().outbox).toMatchObject({ expired: 0, refused: 0 });
    await after.gateway.stop();
  });

  test('whatever the link and the server do, everything recorded is stored in the end, as it was', async () => {
    const step = fc.record({
      forMs: fc.integer({ min: 1, max: 20 * MINUTE }),
      loseData: fc.constantFrom(0, 0.3, 1),
      loseReceipts: fc.constantFrom(0, 0.3, 1),
      doubleData: fc.constantFrom(0, 0.3),
      doubleReceipts: fc.constantFrom(0, 0.3),
      latencyMs: fc.constantFrom(1, 700, 40_000),
      storeDown: fc.boolean(),
      unreachable: fc.boolean(),
      halfDead: fc.boolean(),
      acknowledges: fc.boolean(),
      event: fc.constantFrom('none', 'break', 'stopServer', 'startServer', 'forget', 'attend', 'restart', 'past'),
    });
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1 }), fc.array(step, { minLength: 1, maxLength: 8 }), async (seed, steps) => {
        const time = new VirtualTime(NOON);
        const random = randomOf(seed);
        const centre = new FakeCentre(time, random);
        const numbers = { births: risingNumber(), connections: risingNumber() };
        let file = join(mkdtempSync(join(folder, 'post-')), 'outbox.db');
        const recorded: OutboxSample[] = [];
        const begin = () => {
          const post = makeTestPost({ time, centre, outbox: open(file), numbers, random });
          post.reader.powerAt = (at) => goodReading('load.power', Math.round(random() * 5000) / 10, at);
          post.gateway.start();
          return post;
        };
        let post = begin();
        let session = 1;
        for (const { forMs, event, ...faults } of steps) {
          Object.assign(centre.faults, faults);
          if (event === 'break') centre.breakLinks();
          if (event === 'stopServer') centre.stopServer();
          if (event === 'startServer' || event === 'forget') {
            session += 1;
            centre.startServer(`session-${session}`, event === 'forget');
          }
          if (event === 'attend') centre.attend(60);
          if (event === 'past')
            post.gateway.record(
              [1, 2, 3].map((i) => post.reader.resultAt(NOON - i * MINUTE - session)),
              { historical: true },
            );
          if (event === 'restart') {
            file = cutPower(file);
            recorded.push(...post.recorded);
            void post.gateway.stop();
            centre.breakLinks();
            post = begin();
          }
          await time.advance(forMs);
        }
        Object.assign(centre.faults, new FakeCentre(time).faults);
        centre.startServer('session-last');
        await time.advance(30 * MINUTE);
        recorded.push(...post.recorded);
        const lost = recorded.filter((sample) => sample.at < time.now() - 2 * MINUTE && !centre.has(sample));
        expect(lost).toEqual([]);
        expect(post.gateway.status().outbox).toMatchObject({ expired: 0, refused: 0 });
        await post.gateway.stop();
      }),
      { numRuns: 25, seed: 20260115 },
    );
  }, 120_000);

  test('a disk that takes nothing for a while is waited for', async () => {
    const time = new VirtualTime(NOON);
    const centre = new FakeCentre(time);
    const outbox = memory();
    const append = outbox.append.bind(outbox);
    let isFull = false;
    outbox.append = (drafts) => (isFull ? failed({ code: 'OUTBOX_FULL', message: 'no space' }) : append(drafts));
    const { gateway, recorded } = makeTestPost({ time, centre, outbox, config: { full: true } });
    gateway.start();
    await time.advance(MINUTE);
    isFull = true;
    await time.advance(10 * MINUTE);
    expect(gateway.status()).toMatchObject({ lost: 0, outboxFault: { code: 'OUTBOX_FULL' } });
    expect(gateway.status().unsaved).toBeGreaterThan(60);
    isFull = false;
    await time.advance(2 * MINUTE);
    expect(gateway.status()).toMatchObject({ unsaved: 0, outboxFault: undefined });
    expect(recorded.filter(({ metric }) => metric === 'load.power').length).toBeGreaterThan(75);
    expect(recorded.filter(({ at }) => at < time.now() - MINUTE).every((sample) => centre.has(sample))).toBe(true);
  });
});

describe('time', () => {
  test('set back: no two samples of a metric share a time, and none is swallowed', async () => {
    const time = new VirtualTime(NOON);
    const centre = new FakeCentre(time);
    const { gateway, recorded } = makeTestPost({ time, centre, outbox: memory(), config: { full: true } });
    gateway.start();
    await time.advance(5 * MINUTE);
    time.stepClock(-2 * MINUTE);
    await time.advance(5 * MINUTE);
    gateway.status();
    const names = recorded.map(({ device, metric, at, value }) => `${device}/${metric}@${at}=${value}`);
    const keys = new Set(names.map((name) => name.split('=')[0]));
    expect(keys.size).toBe(new Set(names).size);
    const polls = recorded.filter(({ metric }) => metric === 'load.power').map(({ at }) => at - NOON);
    expect(polls).toContain(3 * MINUTE + 10_001);
    expect(polls.at(-1)).toBeLessThanOrEqual(8 * MINUTE);
  });

  test('a step of the wall clock moves no poll: the reader’s time is steady', async () => {
    const time = new VirtualTime(NOON);
    const { gateway } = makeTestPost({ time, centre: new FakeCentre(time), outbox: memory() });
    gateway.start();
    await time.advance(MINUTE);
    const { polls } = gateway.status();
    time.stepClock(-3_600_000);
    await time.advance(MINUTE);
    expect(gateway.status().polls - polls).toBe(6);
    time.stepClock(86_400_000);
    await time.advance(MINUTE);
    expect(gateway.status().polls - polls).toBe(12);
  });
});

describe('history', () => {
  test('brought in from the past is sent as such and leaves what is live alone', async () => {
    const time = new VirtualTime(NOON);
    const centre = new FakeCentre(time);
    const { gateway, reader, recorded } = makeTestPost({ time, centre, outbox: memory() });
    reader.powerAt = (at) => goodReading('load.power', at < NOON ? 100 : 700, at);
    gateway.start();
    await time.advance(30 * SECOND);
    const present = recorded.length;
    for (let i = 60; i > 0; i -= 1) gateway.record([reader.resultAt(NOON - i * MINUTE)], { historical: true });
    const past = recorded.slice(present);
    expect(past.filter(({ metric }) => metric === 'load.energy')).toHaveLength(60);
    expect(past.filter(({ metric }) => metric === 'load.power')).toHaveLength(12);
    await time.advance(10 * SECOND);
    expect(recorded.slice(present + past.length).some(({ metric }) => metric === 'load.power')).toBe(false);
    const live = centre.data.filter(({ historical, at }) => !historical && at > NOON + 30 * SECOND);
    expect(live).toEqual([]);
    expect(past.every((sample) => centre.has(sample))).toBe(true);
  });
});

describe('what a full outbox had to let go', () => {
  test('is marked where the gap begins, once there is a way to the server, and counted in the health', async () => {
    const time = new VirtualTime(NOON);
    const centre = new FakeCentre(time);
    const outbox = new MemoryOutbox({ epoch: EPOCH, bytesMax: 60_000 });
    const calls: number[] = [];
    const recordLost = outbox.recordLost.bind(outbox);
    outbox.recordLost = (at) => {
      calls.push(time.monotonic());
      return recordLost(at);
    };
    const { gateway } = makeTestPost({ time, centre, outbox, config: { full: true } });
    centre.faults.unreachable = true;
    gateway.start();
    await time.advance(6 * 60 * MINUTE);
    const { expiredSamples } = gateway.status().outbox;
    expect([expiredSamples > 100, calls]).toEqual([true, []]);
    centre.faults.unreachable = false;
    await time.advance(10 * MINUTE);
    expect(calls.length).toBeGreaterThan(5);
    const marks = [...centre.stored].filter(([, { code }]) => code === codeOf('expired'));
    expect(marks.map(([name]) => name.split('@')[0])).toContain('meter/load.energy');
    expect(marks.every(([, { value }]) => value === null)).toBe(true);
    const health = [...centre.stored].filter(([name]) => name.startsWith('gateway/gateway.samplesExpired@'));
    expect(health.at(-1)?.[1].value).toBeGreaterThan(100);
  });
});

describe('what is measured no longer', () => {
  test('stays in the birth until its records are gone', async () => {
    const time = new VirtualTime(NOON);
    const centre = new FakeCentre(time);
    const outbox = memory();
    outbox.close = () => {};
    const before = makeTestPost({ time, centre, outbox });
    centre.faults.unreachable = true;
    before.gateway.start();
    await time.advance(MINUTE);
    await before.gateway.stop();
    centre.faults.unreachable = false;
    const after = makeTestPost({ time, centre, outbox, config: { devices: [] } });
    after.gateway.start();
    await time.advance(MINUTE);
    const retired = centre.birth?.metrics.filter((metric) => metric.retired === true) ?? [];
    expect(retired.map(({ device }) => device)).toContain(METER);
    expect(centre.birth?.devices.map(({ id }) => id).sort()).toEqual(['gateway', METER]);
    expect(before.recorded.every((sample) => centre.has(sample))).toBe(true);
    expect(outbox.deadLetters(10)).toEqual([]);
  });
});

describe('a gateway', () => {
  test('tells of itself: its health is a device like any other', async () => {
    const time = new VirtualTime(NOON);
    const centre = new FakeCentre(time);
    const { gateway } = makeTestPost({ time, centre, outbox: memory() });
    gateway.start();
    await time.advance(10 * MINUTE);
    const last = (metric: string) =>
      [...centre.stored].filter(([name]) => name.startsWith(`gateway/${metric}@`)).at(-1)?.[1];
    expect(last('gateway.uptime')).toEqual({ value: 300, code: 0 });
    expect(last('gateway.clockQuality')?.value).toBe('synchronised');
    expect(last('gateway.connects')?.value).toBe(1);
    expect(last('gateway.bytesSent')?.value).toBeGreaterThan(1000);
    expect(last('gateway.recordsExpired')?.value).toBe(0);
  });

  test('polls in a phase of its own: two of one identity give no two samples one time', async () => {
    const time = new VirtualTime(NOON);
    const times = [0.25, 0.75].map((pollPhase) => {
      const post = makeTestPost({ time, centre: new FakeCentre(time), outbox: memory(), deps: { pollPhase } });
      post.gateway.start();
      return () => new Set(post.recorded.filter(({ device }) => device === METER).map(({ at }) => at % (10 * SECOND)));
    });
    await time.advance(5 * MINUTE);
    // The first poll comes with the start.
    expect(times.map((seen) => [...seen()])).toEqual([
      [0, 2500],
      [0, 7500],
    ]);
  });

  test('tells once of each outbox that was damaged, also of one that broke while it was open', async () => {
    const time = new VirtualTime(NOON);
    const outbox: Outbox & { setAside?: string; salvage?: Outbox['salvage'] } = memory();
    outbox.setAside = '/data/outbox.damaged-1';
    const lines: object[] = [];
    const log = { info() {}, warn: (facts: object) => lines.push(facts) };
    const { gateway } = makeTestPost({ time, centre: new FakeCentre(time), outbox, log });
    gateway.start();
    await time.advance(5 * MINUTE);
    outbox.setAside = '/data/outbox.damaged-2';
    outbox.salvage = { file: outbox.setAside, recovered: 7, damaged: 1 };
    await time.advance(5 * MINUTE);
    expect(lines).toEqual([
      { code: 'OUTBOX_DAMAGED', file: '/data/outbox.damaged-1' },
      { code: 'OUTBOX_DAMAGED', file: '/data/outbox.damaged-2', recovered: 7, damaged: 1 },
    ]);
  });

  test('goes on when a poll fails, and polls nothing after its end', async () => {
    const time = new VirtualTime(NOON);
    const { gateway, reader } = makeTestPost({ time, centre: new FakeCentre(time), outbox: memory() });
    let calls = 0;
    reader.pollOnce = async () => {
      calls += 1;
      throw new Error('broken');
    };
    gateway.start();
    await time.advance(5 * MINUTE);
    expect(calls).toBeGreaterThan(3);
    await gateway.stop();
    const end = calls;
    await time.advance(5 * MINUTE);
    expect(calls).toBe(end);
  });

  test('costs its post little: a batch of three metrics a minute, with everything around it', async () => {
    const time = new VirtualTime(NOON);
    const centre = new FakeCentre(time);
    const { gateway } = makeTestPost({ time, centre, outbox: memory() });
    gateway.start();
    await time.advance(10 * MINUTE);
    const { bytes } = centre;
    await time.advance(60 * MINUTE);
    expect((centre.bytes - bytes) / 60).toBeLessThan(200);
  });
});
