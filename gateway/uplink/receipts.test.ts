// Receipts that are not what they seem, and the operator's word to send again.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Receipt } from '#contract/session.js';
import { invalidReading } from '#domain/reading.js';
import { MemoryOutbox } from '#tests/support/memory-outbox.js';
import { makeScene, NOON } from '#tests/support/test-post.js';
import type { Outbox } from '../outbox/outbox.js';
import { Sender } from './sender.js';

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const OWN = '0123456789abcdef';
const OTHER = 'fedcba9876543210';
const encode = (message: object) => Buffer.from(JSON.stringify(message));

describe('forged and foreign receipts', () => {
  const range = fc.tuple(fc.integer({ min: 0, max: 30 }), fc.integer({ min: 0, max: 30 }));
  const receipt = fc.record({
    epoch: fc.constantFrom(OWN, OTHER, undefined),
    stored: fc.array(range, { maxLength: 4 }),
    refused: fc.array(fc.record({ id: fc.integer({ min: 0, max: 30 }), code: fc.constant('STORE_TYPE') }), {
      maxLength: 4,
    }),
  });

  test('whatever they say, only what was sent leaves the outbox, and only under its own epoch', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 20 }), fc.array(receipt, { maxLength: 8 }), (sent, receipts) => {
        const outbox: Outbox = new MemoryOutbox({ epoch: OWN });
        const log = { info() {}, warn() {} };
        const sender = new Sender({ outbox, sync: () => true, publish: () => true, random: () => 0, log });
        const append = (count: number) =>
          outbox.append(
            Array.from({ length: count }, (_, i) => ({
              samples: [{ device: 'meter', metric: 'load.power', value: i, reason: 'good' as const, at: NOON + i }],
              offline: false,
              at: NOON,
            })),
          );
        append(sent);
        sender.sendOne('live', { number: 1, indexOf: () => 0 }, NOON, 0);
        append(20 - sent);
        const named = new Set<number>();
        for (const { epoch, ...rest } of receipts) {
          const full: Receipt = { time: NOON, ...rest, ...(epoch === undefined ? {} : { epoch }) };
          sender.settle(full, 1, NOON);
          if (epoch !== OWN) continue;
          for (const { id } of rest.refused) named.add(id);
          for (const [first, last] of rest.stored) for (let id = first; id <= last; id += 1) named.add(id);
        }
        const left = outbox.pending('live', { liveSince: NOON, samplesMax: 99, recordsMax: 99, skip: () => false });
        const ids = Array.from({ length: 20 }, (_, i) => i + 1);
        expect(left.map(({ id }) => id)).toEqual(ids.filter((id) => id > sent || !named.has(id)));
      }),
    );
  });

  test('those of another gateway under this name are counted apart, told once, and free nothing', async () => {
    const lines: object[] = [];
    const { time, centre, gateway } = makeScene({ log: { info() {}, warn: (facts) => lines.push(facts) } });
    gateway.start();
    await time.advance(MINUTE + 30 * SECOND);
    const { pendingRecords } = gateway.status().outbox;
    for (let i = 0; i < 3; i += 1)
      centre.send('receipt', encode({ epoch: OTHER, stored: [[1, 1000]], refused: [], time: time.now() }));
    centre.send('receipt', encode({ epoch: OWN, stored: [[900, 1000]], refused: [], time: time.now() }));
    await time.advance(SECOND);
    expect(gateway.status().session).toMatchObject({ foreignReceipts: 3, strayReceipts: 1 });
    expect(gateway.status().outbox.pendingRecords).toBe(pendingRecords);
    expect(lines.filter((facts) => 'code' in facts)).toEqual([{ code: 'LINK_TWO_GATEWAYS', epoch: OTHER }]);
  });

  test('a late one for an earlier start of this gateway is none of another', async () => {
    const outbox: Outbox = new MemoryOutbox({ epoch: OWN });
    outbox.close = () => {};
    const first = makeScene({ outbox });
    first.gateway.start();
    await first.time.advance(MINUTE);
    await first.gateway.stop();
    const started = new Proxy(outbox, {
      get(target, name) {
        if (name === 'epoch') return OTHER;
        if (name === 'start') return 2;
        const value = Reflect.get(target, name, target);
        return typeof value === 'function' ? value.bind(target) : value;
      },
    });
    const { time, centre, gateway } = makeScene({ time: first.time, outbox: started });
    gateway.start();
    await time.advance(5 * SECOND);
    centre.send('receipt', encode({ epoch: OWN, stored: [[900, 901]], refused: [], time: time.now() }));
    await time.advance(SECOND);
    expect(gateway.status().session).toMatchObject({ foreignReceipts: 0, strayReceipts: 1 });
  });
});

describe('an operator’s replay', () => {
  test('since T sends again what was receipted since T, once, whatever is delivered twice', async () => {
    const { time, centre, gateway, recorded, outbox } = makeScene({ config: { full: true } });
    gateway.start();
    await time.advance(30 * MINUTE);
    const since = NOON + 10 * MINUTE;
    centre.stored.clear();
    const at = time.now();
    centre.send('replay', encode({ at, since }));
    centre.send('replay', encode({ at, since }));
    centre.send('replay', encode({ at: at - 1, since: 0 }));
    await time.advance(2 * MINUTE);
    const due = recorded.filter((sample) => sample.at >= since && sample.at < time.now() - MINUTE);
    expect(due.length).toBeGreaterThan(100);
    expect(due.every((sample) => centre.has(sample))).toBe(true);
    expect(recorded.some((sample) => sample.at < since - MINUTE && centre.has(sample))).toBe(false);
    expect(gateway.status().session).toMatchObject({ replays: 1, replaysIgnored: 2, timeouts: 0 });
    expect(gateway.status().outbox.replayed).toBeGreaterThan(100);
    expect(outbox.number('replayDone')).toBe(at);
  });

  test('sends refused records again, under their old names, once their cause is mended', async () => {
    const { time, centre, gateway, recorded, outbox } = makeScene({ config: { full: true } });
    centre.faults.refuse = ({ metric }) => (metric === 'load.energy' ? 'STORE_TYPE' : undefined);
    gateway.start();
    await time.advance(5 * MINUTE);
    expect(outbox.deadLetters(99).length).toBeGreaterThan(20);
    centre.faults.refuse = () => undefined;
    centre.send('replay', encode({ at: time.now(), deadLetters: true }));
    await time.advance(2 * MINUTE);
    expect(outbox.deadLetters(99)).toEqual([]);
    expect(recorded.filter(({ at }) => at < time.now() - MINUTE).every((sample) => centre.has(sample))).toBe(true);
  });

  test('that does not parse is counted', async () => {
    const { time, centre, gateway } = makeScene();
    gateway.start();
    await time.advance(5 * SECOND);
    centre.send('replay', encode({ since: 0 }));
    await time.advance(SECOND);
    expect(gateway.status().session).toMatchObject({ malformed: 1, replays: 0 });
  });
});

describe('a write delay', () => {
  test('holds up nothing that is urgent: it goes to the disk and out within the poll that saw it', async () => {
    const outbox: Outbox = new MemoryOutbox({ epoch: OWN });
    const order: string[] = [];
    const sync = outbox.sync.bind(outbox);
    outbox.sync = () => {
      order.push('disk');
      return sync();
    };
    const config = { outbox: { bytesMax: 1e9, keepReceiptedMs: 1e9, writeDelayMs: 10_000 } };
    const { time, centre, gateway, reader } = makeScene({ outbox, config });
    gateway.start();
    await time.advance(75 * SECOND);
    order.length = 0;
    const before = centre.data.length;
    reader.powerAt = (at) => invalidReading('load.power', 'timeout', at);
    await time.advance(5 * SECOND + 100);
    expect(order[0]).toBe('disk');
    expect(centre.data.length - before).toBe(1);
    expect(centre.stored.has(`meter/load.power@${NOON + 80 * SECOND}`)).toBe(true);
  });

  test('is kept by the gateway, also without a server', async () => {
    const outbox: Outbox = new MemoryOutbox({ epoch: OWN });
    let unsynced = 0;
    let worst = 0;
    const append = outbox.append.bind(outbox);
    const { time, centre, gateway } = makeScene({
      outbox,
      config: { full: true, outbox: { bytesMax: 1e9, keepReceiptedMs: 1e9, writeDelayMs: 10_000 } },
    });
    let firstAt: number | undefined;
    const check = (at: number) => {
      if (firstAt !== undefined) worst = Math.max(worst, at - firstAt);
    };
    outbox.append = (drafts) => {
      check(time.now());
      firstAt ??= time.now();
      unsynced += drafts.length;
      return append(drafts);
    };
    outbox.sync = () => {
      check(time.now());
      firstAt = undefined;
      unsynced = 0;
      return { ok: true, value: undefined };
    };
    centre.faults.unreachable = true;
    gateway.start();
    await time.advance(10 * MINUTE);
    expect(worst).toBeGreaterThan(0);
    expect(worst).toBeLessThanOrEqual(10_000);
    expect(unsynced).toBeLessThan(3);
  });
});
