import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type DataSample, encodeData } from '#contract/data.js';
import { type Birth, encodeJson, type Receipt, receiptDoor } from '#contract/session.js';
import { postTopic } from '#contract/topic.js';
import { createMemoryStore, type MemoryStore } from '#tests/support/memory-store.js';
import { VirtualTime } from '#tests/support/virtual-time.js';
import type { Registry } from '../ports.js';
import { createSqliteRegistry } from '../store/sqlite-registry.js';
import type { ServerEvent } from './events.js';
import { IngestEngine } from './ingest-engine.js';
import { DEFAULT_LIMITS, type IngestLimits } from './limits.js';

const T0 = Date.UTC(2026, 0, 15, 6);
const EPOCH = '0123456789abcdef';

let folder: string;
let time: VirtualTime;
let store: MemoryStore;
let registry: Registry;
let sent: { post: string; receipt: Receipt }[];
let events: ServerEvent[];
let logged: string[];
let engine: IngestEngine;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'oftob-ingest-'));
  time = new VirtualTime(T0);
  store = createMemoryStore();
  const opened = createSqliteRegistry({ folder });
  if (!opened.ok) throw new Error(opened.fault.message);
  registry = opened.value;
  engine = build();
});
afterEach(async () => {
  await engine.stop();
  registry.close();
  rmSync(folder, { recursive: true, force: true });
});

function build(limits: Partial<IngestLimits> = {}): IngestEngine {
  sent = [];
  events = [];
  logged = [];
  const log = (_: object, message: string): number => logged.push(message);
  const created = new IngestEngine({
    fleet: 'pamir',
    store,
    registry,
    dataFolder: folder,
    clock: time,
    scheduler: time,
    log: { info: log, warn: log, error: log },
    limits: { ...DEFAULT_LIMITS, ...limits },
    send(topic, payload) {
      const read = receiptDoor(JSON.parse(payload.toString('utf8')));
      if (!read.ok) throw new Error(`a receipt that no post would take: ${JSON.stringify(read.fault)}`);
      sent.push({ post: topic.split('/')[3] ?? '', receipt: read.value });
      return true;
    },
  });
  created.subscribe((event) => events.push(event));
  return created;
}

const birth = (number = 1, more: Partial<Birth> = {}): Birth => ({
  birth: number,
  at: T0,
  clock: 'synchronised',
  gateway: { version: '0.1.0', publicKey: 'key', epoch: '00112233445566aa', start: 1 },
  batchPeriodMs: 60_000,
  devices: [{ id: 'meter', kind: 'meter', pollPeriodMs: 1000 }],
  metrics: ['ac.power', 'ac.voltage'].map((metric, index) => ({
    index,
    device: 'meter',
    metric,
    kind: 'gauge',
    pollPeriodMs: 1000,
    heartbeatS: 600,
  })),
  ...more,
});

function tell(channel: 'birth' | 'state' | 'data', payload: Buffer, { post = 'langar', retained = false } = {}): void {
  engine.receive(postTopic('pamir', post, channel), payload, retained);
}
const tellBirth = (number = 1, options = {}): void => tell('birth', encodeJson(birth(number)), options);
const tellState = (state: 'online' | 'offline', connection: number, options = {}): void =>
  tell('state', encodeJson({ state, connection }), options);

const sample = (record: number, at: number, value: number | null = record, index = 0): DataSample => ({
  record,
  index,
  at,
  value,
  code: value === null ? 33 : 0,
});

function data(samples: DataSample[], { historical = false, birthNumber = 1, epoch = EPOCH } = {}): Buffer {
  return encodeData({ birth: birthNumber, epoch, historical, samples });
}

const settle = (): Promise<void> => time.advance(50);
const stored = (): [number, number][] => sent.flatMap(({ receipt }) => receipt.stored);
const types = (): string[] =>
  events.map((event) => ('historical' in event ? `${event.type} ${event.historical}` : event.type));

describe('receipts', () => {
  test('a receipt comes after the store’s word, and names what was stored', async () => {
    let open: () => void = () => undefined;
    store.gate = new Promise((resolve) => {
      open = resolve;
    });
    tellBirth();
    sent.length = 0;
    tell('data', data([sample(1, T0), sample(2, T0 + 1), sample(4, T0 + 2)]));
    await settle();
    expect([store.writes, sent.length, events.filter(({ type }) => type === 'samples').length]).toEqual([1, 0, 0]);
    open();
    await settle();
    expect(sent).toEqual([
      {
        post: 'langar',
        receipt: {
          epoch: EPOCH,
          stored: [
            [1, 2],
            [4, 4],
          ],
        },
      },
    ]);
  });

  test('payloads of one post and epoch that are written together share a receipt', async () => {
    tellBirth();
    tellBirth(1, { post: 'karakul' });
    sent.length = 0;
    tell('data', data([sample(1, T0)]));
    tell('data', data([sample(2, T0 + 1)], { historical: true }));
    tell('data', data([sample(1, T0 + 2)], { epoch: 'fedcba9876543210' }));
    tell('data', data([sample(9, T0)]), { post: 'karakul' });
    await settle();
    expect(store.writes).toBe(1);
    expect(sent.map(({ post, receipt }) => [post, receipt.epoch, receipt.stored])).toEqual([
      ['langar', EPOCH, [[1, 2]]],
      ['langar', 'fedcba9876543210', [[1, 1]]],
      ['karakul', EPOCH, [[9, 9]]],
    ]);
  });

  test('a store that does not answer is told at the start, before any post is known', async () => {
    store.fault = { code: 'STORE_UNAVAILABLE', message: 'connection refused' };
    await engine.load();
    expect(engine.storeOk()).toBe(false);
    store.fault = undefined;
    tellBirth();
    tell('data', data([sample(1, T0)]));
    await settle();
    expect(engine.storeOk()).toBe(true);
  });

  test('a store that does not answer gives no receipt; what comes after a pause is stored again', async () => {
    tellBirth();
    sent.length = 0;
    store.fault = { code: 'STORE_UNAVAILABLE', message: 'down' };
    tell('data', data([sample(1, T0)]));
    await settle();
    expect([engine.storeOk(), sent]).toEqual([false, []]);
    store.fault = undefined;
    tell('data', data([sample(1, T0)]));
    await settle();
    expect([engine.storeOk(), sent, store.writes]).toEqual([false, [], 1]);
    await time.advance(DEFAULT_LIMITS.storeRetryMs);
    tell('data', data([sample(1, T0)]));
    await settle();
    expect([engine.storeOk(), stored()]).toEqual([true, [[1, 1]]]);
    expect(engine.counters()).toMatchObject({ storeFaults: 1, pointsUnstored: 1, payloadsDroppedForStore: 1 });
    expect(logged.join('\n')).toMatch(/Nothing is stored: down.*\nThe store answers again/s);
  });

  test('what can never be stored is refused by its record and kept for a person; the rest is stored', async () => {
    store.refuse = (point) => (point.value === 2 ? 'STORE_TYPE' : undefined);
    tellBirth();
    sent.length = 0;
    tell('data', data([sample(1, T0), sample(2, T0 + 1), sample(2, T0 + 1, 7, 1), sample(3, T0 + 2, 3, 55)]));
    tell('data', data([sample(4, T0 + 4, 2), sample(5, T0 + 5)]));
    await settle();
    expect(sent.map(({ receipt }) => receipt)).toEqual([
      {
        epoch: EPOCH,
        stored: [
          [1, 1],
          [5, 5],
        ],
        refused: [
          { id: 3, code: 'INGEST_METRIC_UNKNOWN' },
          { id: 2, code: 'STORE_TYPE' },
          { id: 4, code: 'STORE_TYPE' },
        ],
      },
    ]);
    expect([...store.points.values()].map(({ value }) => value)).toEqual([1, 7, 5]);
    await engine.stop();
    const letters = readFileSync(join(folder, 'dead-letters.jsonl'), 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(letters.map(({ code, record, samples }) => [code, record, samples.length])).toEqual([
      ['INGEST_METRIC_UNKNOWN', 3, 1],
      ['STORE_TYPE', 2, 1],
      ['STORE_TYPE', 4, 1],
    ]);
    expect(letters[1]).toMatchObject({ post: 'langar', epoch: EPOCH, samples: [{ metric: 'ac.power', value: 2 }] });
  });

  test('beyond its memory the server drops data, says nothing of it, and counts', async () => {
    engine = build({ memoryBytesMax: 500 });
    let open: () => void = () => undefined;
    store.gate = new Promise((resolve) => {
      open = resolve;
    });
    tellBirth();
    sent.length = 0;
    for (let record = 1; record <= 10; record += 1) tell('data', data([sample(record, T0 + record)]));
    await settle();
    open();
    await settle();
    expect(stored()).toEqual([[1, 4]]);
    expect(engine.counters()).toMatchObject({ payloadsDroppedForMemory: 6, memoryBytes: 0 });
    tell('data', data([sample(5, T0 + 5)]));
    await settle();
    expect(stored()).toEqual([
      [1, 4],
      [5, 5],
    ]);
  });

  test('whatever is lost, doubled, late or refused by the store: in the end exactly what was sent is stored', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(fc.tuple(fc.nat(40), fc.integer({ min: -5, max: 5 })), { minLength: 1, maxLength: 4 }), {
          minLength: 1,
          maxLength: 12,
        }),
        fc.array(
          fc.record({ skip: fc.nat(3), size: fc.integer({ min: 1, max: 4 }), fate: fc.nat(5), again: fc.boolean() }),
          {
            minLength: 1,
            maxLength: 30,
          },
        ),
        async (recordSpecs, deliveries) => {
          store.points.clear();
          store.fault = undefined;
          engine = build();
          tellBirth();
          sent.length = 0;
          // One metric takes one value at one time: later records of the same time move on, as a gateway makes sure.
          const taken = new Set<number>();
          const records = recordSpecs.map((spec, i) =>
            spec.map(([offset, value]) => {
              let at = T0 + offset;
              while (taken.has(at)) at += 1;
              taken.add(at);
              return sample(i + 1, at, value === 5 ? null : value);
            }),
          );
          const received = new Set<number>();
          const outbox = new Set(records.map((_, i) => i + 1));
          let heard = 0;
          const hear = (): void => {
            for (const { receipt } of sent.slice(heard))
              for (const [first, last] of receipt.stored)
                for (let id = first; id <= last; id += 1) {
                  expect(received.has(id)).toBe(true);
                  for (const { at } of records[id - 1]!)
                    expect(store.points.has(`langar/meter/ac.power/${at}`)).toBe(true);
                  outbox.delete(id);
                }
            heard = sent.length;
          };
          const deliver = async (ids: number[], historical: boolean): Promise<void> => {
            const payload = data(
              ids.flatMap((id) => records[id - 1]!),
              { historical },
            );
            for (const id of ids) received.add(id);
            tell('data', payload);
          };
          for (const { skip, size, fate, again } of deliveries) {
            const ids = [...outbox].slice(skip, skip + size);
            if (ids.length === 0) continue;
            store.fault = fate === 1 ? { code: 'STORE_UNAVAILABLE', message: 'down' } : undefined;
            if (fate !== 0) await deliver(ids, fate === 2);
            if (again) await deliver(ids, true);
            await time.advance(fate === 3 ? 0 : 3000);
            if (fate !== 4) hear();
            else heard = sent.length;
          }
          store.fault = undefined;
          for (let round = 0; outbox.size > 0 && round < 20; round += 1) {
            await time.advance(3000);
            await deliver([...outbox], round % 2 === 0);
            await time.advance(3000);
            hear();
          }
          const wanted = records
            .flat()
            .map(({ at, value }) => [at, value])
            .sort();
          expect([...store.points.values()].map(({ at, value }) => [at, value]).sort()).toEqual(wanted);
          expect(outbox.size).toBe(0);
          await engine.stop();
        },
      ),
      { numRuns: 60 },
    );
  });
});

describe('births', () => {
  test('data under a birth that the server does not have is not receipted; the birth is asked for, not too often', async () => {
    tell('data', data([sample(1, T0)], { birthNumber: 7 }));
    tell('data', data([sample(2, T0)], { birthNumber: 7 }));
    await settle();
    expect(sent.map(({ receipt }) => receipt)).toEqual([{ stored: [], birthNeeded: 7, time: T0 }]);
    await time.advance(DEFAULT_LIMITS.birthRequestPeriodMs);
    tell('data', data([sample(1, T0)], { birthNumber: 7 }));
    expect(sent).toHaveLength(2);
    tellBirth(6);
    await time.advance(DEFAULT_LIMITS.birthRequestPeriodMs);
    tell('data', data([sample(1, T0)], { birthNumber: 7 }));
    expect(sent.at(-1)?.receipt).toMatchObject({ birthNeeded: 7 });
    expect([store.writes, engine.counters().payloadsUnknownBirth]).toEqual([0, 4]);
    tellBirth(7);
    tell('data', data([sample(1, T0)], { birthNumber: 7 }));
    await settle();
    expect(stored()).toEqual([[1, 2]]);
  });

  test('data that overtook its birth is stored and receipted as soon as the birth is there', async () => {
    tell('data', data([sample(1, T0)], { birthNumber: 7 }));
    await settle();
    expect(store.writes).toBe(0);
    tellBirth(7);
    await settle();
    expect(stored()).toEqual([[1, 1]]);
    expect(engine.counters()).toMatchObject({ payloadsHeld: 1, payloadsHeldOverLimit: 0 });
  });

  test('a birth is answered with the time, for posts without a clock', () => {
    tellBirth();
    expect(sent).toEqual([{ post: 'langar', receipt: { stored: [], time: T0 } }]);
    tellBirth(1, { retained: true });
    expect(sent).toHaveLength(1);
  });

  test('births, states and latest values are there again after a restart of the server', async () => {
    tellBirth(4);
    tellState('online', 9);
    tell('data', data([sample(1, T0, 17)], { birthNumber: 4 }));
    await settle();
    await engine.stop();
    engine = build();
    await engine.load();
    expect(engine.directory.post('langar')).toMatchObject({ birth: birth(4), link: 'unknown', connection: 9 });
    expect(engine.latest.get('langar', 'meter', 'ac.power')).toMatchObject({ value: 17, at: T0, code: 0 });
    tellBirth(4, { retained: true });
    tellState('online', 9, { retained: true });
    expect(types()).toEqual(['link']);
    tell('data', data([sample(2, T0 + 1)], { birthNumber: 4 }));
    await settle();
    expect(stored()).toEqual([[2, 2]]);
  });

  test('a store that is down at the start does not keep the server from starting', async () => {
    tellBirth();
    store.fault = { code: 'STORE_UNAVAILABLE', message: 'down' };
    engine = build();
    await engine.load();
    expect(engine.directory.posts()).toHaveLength(1);
    expect(logged.join()).toContain('down');
  });
});

describe('presence', () => {
  const link = (): unknown => engine.directory.post('langar')?.link;

  test('the will of an old connection cannot mark a live post dead', () => {
    tellState('online', 5);
    tellState('offline', 4);
    expect([link(), engine.counters().statesOld]).toEqual(['online', 1]);
    tellState('offline', 5);
    expect(link()).toBe('offline');
    expect(registry.postStates()).toEqual([{ post: 'langar', state: 'offline', connection: 5, at: T0 }]);
  });

  test('a post that has lost its disk, and its count with it, is there when it says so', () => {
    tellState('online', 50);
    tellState('online', 1);
    tellState('offline', 1);
    expect(link()).toBe('offline');
    tellState('online', 50);
    tellState('online', 2, { retained: true });
    expect(engine.directory.post('langar')?.connection).toBe(50);
  });

  test('data shows that a post is there', () => {
    tellState('offline', 5);
    tell('data', data([sample(1, T0)]));
    expect(link()).toBe('online');
  });

  test('without the broker nobody knows', () => {
    tellState('online', 5);
    engine.brokerLost();
    expect(link()).toBe('unknown');
    tellState('online', 5, { retained: true });
    expect(link()).toBe('online');
    expect(events.map((event) => event.type === 'link' && event.link)).toEqual(['online', 'unknown', 'online']);
  });

  test('only what was just said counts as contact', async () => {
    tellState('online', 5, { retained: true });
    expect(engine.directory.post('langar')?.lastContactAt).toBeNull();
    await time.advance(1000);
    tellState('online', 5);
    expect(engine.directory.post('langar')?.lastContactAt).toBe(T0 + 1000);
  });
});

describe('live and late', () => {
  test('live samples move the latest values in order of their time', async () => {
    tellBirth();
    tell('data', data([sample(2, T0 + 10, 2), sample(1, T0, 1), sample(1, T0, null, 1)]));
    await settle();
    expect(engine.latest.get('langar', 'meter', 'ac.power')).toMatchObject({ value: 2, at: T0 + 10 });
    expect(engine.latest.get('langar', 'meter', 'ac.voltage')).toMatchObject({ value: null, code: 33 });
    expect([...engine.latest.ofPost('langar')]).toHaveLength(2);
    const live = events.flatMap((event) => (event.type === 'samples' ? event.points.map(({ at }) => at - T0) : []));
    expect(live).toEqual([0, 0, 10]);
    expect(engine.directory.post('langar')?.lastSampleAt).toBe(T0 + 10);
  });

  test('historical data never moves a latest value, be it newer, older or the first', async () => {
    tellBirth();
    tell('data', data([sample(1, T0, 1)], { historical: true }));
    await settle();
    expect(engine.latest.get('langar', 'meter', 'ac.power')).toBeUndefined();
    tell('data', data([sample(2, T0 + 10, 2)]));
    tell('data', data([sample(3, T0 + 20, 3)], { historical: true }));
    await settle();
    expect(engine.latest.get('langar', 'meter', 'ac.power')).toMatchObject({ value: 2 });
    expect(engine.directory.post('langar')?.lastSampleAt).toBe(T0 + 10);
  });

  test('a live sample older than the latest is late; one that is known already is nothing new', async () => {
    tellBirth();
    tell('data', data([sample(2, T0 + 10, 2)]));
    await settle();
    events.length = 0;
    tell('data', data([sample(2, T0 + 10, 2), sample(1, T0, 1)]));
    await settle();
    expect(types()).toEqual(['samples true']);
    expect(engine.latest.get('langar', 'meter', 'ac.power')).toMatchObject({ value: 2 });
    expect(engine.counters()).toMatchObject({ samplesRepeated: 1, samplesLate: 1 });
    expect(engine.directory.post('langar')?.backfilling).toBe(false);
  });

  test('a sample from far in the future is stored, but is not the present', async () => {
    tellBirth();
    tell('data', data([sample(1, T0 + 86_400_000)]));
    await settle();
    expect([stored(), engine.latest.get('langar', 'meter', 'ac.power')]).toEqual([[[1, 1]], undefined]);
    expect(engine.counters()).toMatchObject({ samplesFromFuture: 1 });
  });

  test('a gap closes once, when no late data has come for a while, with all that it spanned', async () => {
    tellBirth();
    tell('data', data([sample(5, T0 - 5000), sample(6, T0 - 1000)], { historical: true }));
    await settle();
    expect(engine.directory.post('langar')?.backfilling).toBe(true);
    await time.advance(DEFAULT_LIMITS.gapQuietMs - 100);
    tell('data', data([sample(1, T0 - 9000)], { historical: true }));
    await time.advance(DEFAULT_LIMITS.gapQuietMs - 100);
    expect(types()).not.toContain('gapClosed');
    await time.advance(200);
    expect(events.at(-1)).toEqual({ type: 'gapClosed', post: 'langar', from: T0 - 9000, to: T0 - 999 });
    expect(engine.directory.post('langar')?.backfilling).toBe(false);
    await time.advance(100_000);
    expect(types().filter((type) => type === 'gapClosed')).toHaveLength(1);
  });

  test('a listener that stumbles keeps nobody from hearing and no post from its receipt', async () => {
    const heard: string[] = [];
    engine.subscribe(() => {
      throw new Error('stumbled');
    });
    const leave = engine.subscribe(({ type }) => heard.push(type));
    tellBirth();
    tell('data', data([sample(1, T0)]));
    await settle();
    expect([heard, stored()]).toEqual([['birth', 'link', 'samples'], [[1, 1]]]);
    leave();
    tellState('offline', 1);
    expect(heard).toHaveLength(3);
    expect(engine.counters()).toMatchObject({ listenerFaults: 4 });
  });
});

describe('rubbish', () => {
  test('what does not parse is counted and its head is kept; the post goes on', async () => {
    const rubbish = Buffer.alloc(5000, 0xee);
    tell('data', rubbish);
    tell('birth', Buffer.from('{"birth":'));
    tell('birth', encodeJson(birth(1, { metrics: [...birth().metrics, ...birth().metrics] })));
    tell('state', Buffer.from('{"state":"asleep","connection":1}'));
    tellBirth();
    tell('data', data([sample(1, T0)]));
    await settle();
    expect(stored()).toEqual([[1, 1]]);
    expect(engine.counters()).toMatchObject({
      payloadsUnreadable: 1,
      birthsUnreadable: 2,
      statesUnreadable: 1,
      deadLetters: 4,
    });
    await engine.stop();
    const letters = readFileSync(join(folder, 'dead-letters.jsonl'), 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(letters.map(({ code }) => code)).toEqual([
      'DATA_NOT_DEFLATE',
      'INGEST_BIRTH_FORM',
      'INGEST_BIRTH_FORM',
      'INGEST_STATE_FORM',
    ]);
    expect(letters[0]).toMatchObject({ topic: 'oftob/1/pamir/langar/data', bytes: 5000 });
    expect(Buffer.from(letters[0].head, 'base64')).toEqual(rubbish.subarray(0, 1024));
    expect(letters[2].message).toContain('index 0');
  });

  test('no bytes on any topic stop it', () => {
    fc.assert(
      fc.property(
        fc.constantFrom('birth', 'state', 'data', 'receipt', 'attention', '', '/', 'a/b'),
        fc.uint8Array({ maxLength: 200 }),
        fc.boolean(),
        (channel, bytes, retained) => engine.receive(`oftob/1/pamir/langar/${channel}`, Buffer.from(bytes), retained),
      ),
    );
  });

  test('another fleet’s messages are ignored and counted', () => {
    engine.receive('oftob/1/alai/langar/birth', encodeJson(birth()), false);
    expect([engine.directory.posts(), engine.counters().topicsForeign]).toEqual([[], 1]);
  });

  test('posts beyond the limit are ignored and counted; those that are known go on', async () => {
    engine = build({ postsMax: 2 });
    for (const post of ['a', 'b', 'c', 'd']) tellBirth(1, { post });
    expect(engine.directory.posts().map(({ id }) => id)).toEqual(['a', 'b']);
    expect(engine.counters()).toMatchObject({ postsOverLimit: 2 });
    tell('data', data([sample(1, T0)]), { post: 'b' });
    await settle();
    expect(stored()).toEqual([[1, 1]]);
  });

  test('an empty retained message, which makes a broker forget, is no fault', () => {
    tell('birth', Buffer.alloc(0));
    tell('state', Buffer.alloc(0), { retained: true });
    expect([engine.directory.posts(), engine.counters().birthsUnreadable]).toEqual([[], 0]);
  });

  test('a registry that cannot save is tried again, and holds up nothing else', async () => {
    registry.close();
    tellBirth();
    tell('data', data([sample(1, T0)]));
    await settle();
    expect(stored()).toEqual([[1, 1]]);
    expect(engine.counters()).toMatchObject({ registryFaults: 2, registrySavesWaiting: 2 });
  });
});
