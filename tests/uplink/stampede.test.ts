// A thousand posts whose server and broker vanish and come back: they shall not all come at once.
import { expect, test } from 'vitest';
import { decodeData } from '#contract/data.js';
import { encodeJson } from '#contract/session.js';
import { parsePostTopic, postTopic, serverTopic } from '#contract/topic.js';
import type { Clock, Random, Scheduler } from '#domain/clock.js';
import { leastNumberAt } from '#gateway/identity.js';
import { makeBirth } from '#gateway/uplink/birth.js';
import type { Link, LinkOptions } from '#gateway/uplink/link.js';
import { UplinkSession } from '#gateway/uplink/session.js';
import { FLEET } from '../support/fake-centre.js';
import { MemoryOutbox } from '../support/memory-outbox.js';
import { risingNumber } from '../support/test-post.js';

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const NOON = Date.UTC(2026, 0, 15, 12);
const POSTS = 1000;
const LATENCY_MS = 50;
const SPREAD_MS = 30_000;

/** As VirtualTime, for hundreds of thousands of tasks: a heap, and nothing awaited between two of them. */
class HeapTime implements Clock, Scheduler {
  readonly #heap: { readonly at: number; readonly order: number; task: (() => void) | undefined }[] = [];
  #now = 0;
  #order = 0;

  now(): number {
    return NOON + this.#now;
  }

  monotonic(): number {
    return this.#now;
  }

  after(delayMs: number, run: () => void): () => void {
    const entry: { at: number; order: number; task: (() => void) | undefined } = {
      at: this.#now + Math.max(0, delayMs),
      order: this.#order,
      task: run,
    };
    this.#order += 1;
    this.#heap.push(entry);
    this.#rise(this.#heap.length - 1);
    return () => {
      entry.task = undefined;
    };
  }

  advance(ms: number): void {
    const until = this.#now + ms;
    for (let first = this.#heap[0]; first !== undefined && first.at <= until; first = this.#heap[0]) {
      this.#removeFirst();
      this.#now = Math.max(this.#now, first.at);
      first.task?.();
    }
    this.#now = until;
  }

  #isBefore(left: number, right: number): boolean {
    const [a, b] = [this.#heap[left]!, this.#heap[right]!];
    return a.at < b.at || (a.at === b.at && a.order < b.order);
  }

  #swap(left: number, right: number): void {
    [this.#heap[left], this.#heap[right]] = [this.#heap[right]!, this.#heap[left]!];
  }

  #rise(index: number): void {
    for (let at = index; at > 0; ) {
      const parent = (at - 1) >> 1;
      if (!this.#isBefore(at, parent)) return;
      this.#swap(at, parent);
      at = parent;
    }
  }

  #removeFirst(): void {
    const last = this.#heap.pop()!;
    if (this.#heap.length === 0) return;
    this.#heap[0] = last;
    for (let at = 0; ; ) {
      let next = at;
      for (const child of [2 * at + 1, 2 * at + 2])
        if (child < this.#heap.length && this.#isBefore(child, next)) next = child;
      if (next === at) return;
      this.#swap(at, next);
      at = next;
    }
  }
}

/** A broker and a server that receipt everything at once, and note when who came. */
class Fleet {
  readonly time = new HeapTime();
  readonly connects: number[] = [];
  readonly births: number[] = [];
  readonly snapshots: number[] = [];
  /** Post → when its first live data of this session of the server was receipted. */
  readonly liveAt = new Map<string, number>();
  brokerUp = true;
  session = 'session-1';
  readonly #links = new Map<Link, LinkOptions>();

  #later(task: () => void): void {
    this.time.after(LATENCY_MS, task);
  }

  readonly open = (options: LinkOptions): Link => {
    const link: Link = {
      publish: (topic, payload) => {
        if (!this.#links.has(link)) return false;
        this.#later(() => this.#take(link, topic, payload));
        return true;
      },
      bufferedBytes: () => 0,
      close: async () => void this.#links.delete(link),
      abort: () => void this.#links.delete(link),
    };
    this.#later(() => {
      if (!this.brokerUp) {
        options.handlers.closed('ECONNREFUSED');
        return;
      }
      this.connects.push(this.time.monotonic());
      this.#links.set(link, options);
      options.handlers.connected();
      this.#tell(link, serverTopic(FLEET), this.#serverState(), true);
    });
    return link;
  };

  #serverState(): Buffer {
    return encodeJson({ session: this.session, online: true, time: this.time.now() });
  }

  #tell(link: Link, topic: string, payload: Buffer, retained = false): void {
    this.#later(() => this.#links.get(link)?.handlers.message(topic, payload, retained));
  }

  #take(link: Link, topic: string, payload: Uint8Array): void {
    const address = parsePostTopic(topic);
    if (address === undefined || !this.#links.has(link)) return;
    const receipt = postTopic(FLEET, address.post, 'receipt');
    const time = this.time.now();
    if (address.channel === 'birth') {
      this.births.push(this.time.monotonic());
      this.#tell(link, receipt, encodeJson({ stored: [], refused: [], time }));
    }
    if (address.channel !== 'data') return;
    const data = decodeData(payload);
    if (!data.ok) throw new Error('data');
    const { epoch, historical, first, last } = data.value;
    this.#tell(link, receipt, encodeJson({ epoch, stored: [[first, last]], refused: [], time }));
    if (historical || this.liveAt.has(address.post)) return;
    this.snapshots.push(this.time.monotonic());
    this.liveAt.set(address.post, this.time.monotonic());
  }

  /** The server's process and its broker end together. */
  vanish(): void {
    this.brokerUp = false;
    const links = [...this.#links.values()];
    this.#links.clear();
    for (const { handlers } of links) handlers.closed('reset');
  }

  comeBack(): void {
    this.forget();
    this.brokerUp = true;
    this.session = `session at ${this.time.monotonic()}`;
  }

  /** The server's process alone ends and starts; its broker stands. */
  restartServer(): void {
    this.forget();
    this.session = `session at ${this.time.monotonic()}`;
    for (const link of this.#links.keys()) this.#tell(link, serverTopic(FLEET), this.#serverState());
  }

  forget(): void {
    for (const list of [this.connects, this.births, this.snapshots]) list.length = 0;
    this.liveAt.clear();
  }
}

/** Park and Miller's generator. */
function randomOf(seed: number): Random {
  let state = seed;
  return () => {
    state = (state * 48_271) % 2_147_483_647;
    return (state - 1) / 2_147_483_646;
  };
}

function startPosts(fleet: Fleet): void {
  const random = randomOf(20_260_115);
  const metric = {
    device: 'meter',
    metric: 'load.power',
    kind: 'gauge',
    pollPeriodMs: 10_000,
    heartbeatS: 300,
  } as const;
  for (let index = 0; index < POSTS; index += 1) {
    const post = `post-${index}`;
    const epoch = index.toString(16).padStart(16, '0');
    const outbox = new MemoryOutbox({ epoch });
    const { time } = fleet;
    const births = risingNumber();
    const facts = {
      version: '0',
      publicKey: '',
      epoch,
      start: 1,
      batchPeriodMs: MINUTE,
      devices: [],
      metrics: [metric],
    };
    let birth: ReturnType<typeof makeBirth> | undefined;
    const session: UplinkSession = new UplinkSession({
      fleet: FLEET,
      post,
      batchPeriodMs: MINUTE,
      clock: time,
      scheduler: time,
      random,
      log: { info() {}, warn() {} },
      outbox,
      sync: () => true,
      openLink: fleet.open,
      connections: risingNumber(),
      time: { now: () => time.now(), quality: () => 'synchronised', learn: () => false },
      birth: () => {
        const number = births.next(leastNumberAt(time.now()));
        birth ??= makeBirth(facts, [], { number, at: time.now(), clock: 'synchronised' });
        return birth;
      },
      takeSnapshot: () => record(),
      learnTime: () => {},
      birthSpreadMs: SPREAD_MS,
    });
    const record = (): void => {
      const at = Math.round(time.now());
      const sample = { device: 'meter', metric: 'load.power', value: at % 997, reason: 'good', at } as const;
      outbox.append([{ samples: [sample], offline: !session.isOnline, at }]);
    };
    const poll = (): void => {
      record();
      session.recorded(false);
      time.after(5 * MINUTE, poll);
    };
    // Posts of a field start one by one, not at a whistle.
    time.after(random() * MINUTE, () => {
      session.start();
      poll();
    });
  }
}

/** Most events of any second. */
function peakOf(times: readonly number[]): number {
  const counts = new Map<number, number>();
  for (const at of times) counts.set(Math.floor(at / SECOND), (counts.get(Math.floor(at / SECOND)) ?? 0) + 1);
  return Math.max(0, ...counts.values());
}

test('after ten minutes without server and broker a thousand posts are back within two minutes, and never all at once', () => {
  const fleet = new Fleet();
  startPosts(fleet);
  fleet.time.advance(5 * MINUTE);
  expect(fleet.liveAt.size).toBe(POSTS);
  fleet.vanish();
  fleet.time.advance(10 * MINUTE);
  const backAt = fleet.time.monotonic();
  fleet.comeBack();
  fleet.time.advance(2 * MINUTE);
  expect(fleet.liveAt.size).toBe(POSTS);
  expect([fleet.connects.length, fleet.births.length]).toEqual([POSTS, POSTS]);
  // Pauses of up to a minute: 16.7 a second on the mean over the minute in which all come.
  const connectsMean = POSTS / 60;
  expect(peakOf(fleet.connects)).toBeLessThanOrEqual(3 * connectsMean);
  expect(fleet.connects.filter((at) => at < backAt + 3 * SECOND).length).toBeLessThan(POSTS / 8);
  // Births are spread again over half a minute, and a birth brings one snapshot.
  const birthsMean = POSTS / (SPREAD_MS / SECOND);
  expect(peakOf(fleet.births)).toBeLessThanOrEqual(1.5 * birthsMean);
  expect(peakOf(fleet.snapshots)).toBeLessThanOrEqual(1.5 * birthsMean);
}, 60_000);

test('after a short restart of both, births come over half a minute although all reconnect within seconds', () => {
  const fleet = new Fleet();
  startPosts(fleet);
  fleet.time.advance(5 * MINUTE);
  fleet.vanish();
  fleet.time.advance(5 * SECOND);
  fleet.comeBack();
  fleet.time.advance(2 * MINUTE);
  expect(fleet.liveAt.size).toBe(POSTS);
  // The second pauses end within 6 s, at random: 170 a second on the mean, which any broker takes.
  expect(peakOf(fleet.connects)).toBeLessThanOrEqual(300);
  const birthsMean = POSTS / (SPREAD_MS / SECOND);
  expect(peakOf(fleet.births)).toBeLessThanOrEqual(2 * birthsMean);
  expect(peakOf(fleet.snapshots)).toBeLessThanOrEqual(2 * birthsMean);
}, 60_000);

test('after a restart of the server alone, births come over half a minute', () => {
  const fleet = new Fleet();
  startPosts(fleet);
  fleet.time.advance(5 * MINUTE);
  fleet.restartServer();
  fleet.time.advance(MINUTE);
  expect([fleet.connects.length, fleet.liveAt.size]).toEqual([0, POSTS]);
  expect(peakOf(fleet.births)).toBeLessThanOrEqual(2 * (POSTS / (SPREAD_MS / SECOND)));
}, 60_000);
