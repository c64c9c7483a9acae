// The ingest without a network: messages in, receipts and events out.
import { decodeData } from '#contract/data.js';
import { parseJson } from '#contract/door.js';
import {
  birthDoor,
  encodeJson,
  type PostState,
  postStateDoor,
  type Receipt,
  SESSION_BYTES_MAX,
} from '#contract/session.js';
import { parsePostTopic, postTopic } from '#contract/topic.js';
import type { Clock, Scheduler } from '#domain/clock.js';
import type { Point, Registry, Store, StoreFault } from '../ports.js';
import { type Announcer, createAnnouncer } from './announcer.js';
import { createDeadLetters, type DeadLetters } from './dead-letter.js';
import { createDirectory, type MutableDirectory, type PostEntry, stateCounts } from './directory.js';
import type { Listener, ServerEvent } from './events.js';
import { createHeldPayloads, type HeldPayloads } from './held-payloads.js';
import { indexBirth, type Lot, placePayload, type Refusal, receiptsFor } from './ingest.js';
import { createLatestValues, type MutableLatestValues } from './latest.js';
import type { IngestLimits } from './limits.js';
import type { Log } from './log.js';
import { createWriter, type StoredLot, type Writer } from './writer.js';

export interface EngineDeps {
  readonly fleet: string;
  readonly store: Store;
  readonly registry: Registry;
  readonly dataFolder: string;
  readonly clock: Clock;
  readonly scheduler: Scheduler;
  readonly log: Log;
  readonly limits: IngestLimits;
  /** Sends to a topic at QoS 0; false when it could not be sent. Lost receipts are harmless. */
  readonly send: (topic: string, payload: Buffer) => boolean;
}

/** Log lines about bad messages are at least this far apart; the counters and the dead letters tell the rest. */
const COMPLAINT_PERIOD_MS = 10_000;
const REFUSED_SAMPLES_KEPT = 20;
/** No post can have this name. */
const NO_POST = '';

export class IngestEngine {
  readonly latest: MutableLatestValues = createLatestValues();
  readonly directory: MutableDirectory;
  readonly #deps: EngineDeps;
  readonly #listeners = new Set<Listener>();
  readonly #writer: Writer;
  readonly #announcer: Announcer;
  readonly #deadLetters: DeadLetters;
  readonly #held: HeldPayloads;
  #complainedAt = Number.NEGATIVE_INFINITY;
  readonly #counters = {
    payloads: 0,
    payloadBytes: 0,
    payloadsUnreadable: 0,
    payloadsUnknownBirth: 0,
    births: 0,
    birthsUnreadable: 0,
    birthsAsked: 0,
    states: 0,
    statesUnreadable: 0,
    statesOld: 0,
    topicsForeign: 0,
    postsOverLimit: 0,
    samplesRefused: 0,
    receiptsSent: 0,
    receiptsUnsent: 0,
    registryFaults: 0,
    listenerFaults: 0,
  };

  constructor(deps: EngineDeps) {
    this.#deps = deps;
    const { limits, clock, scheduler } = deps;
    this.directory = createDirectory(limits.postsMax);
    this.#held = createHeldPayloads(limits.heldBytesMax);
    this.#deadLetters = createDeadLetters(deps.dataFolder, limits.deadLetterBytesMax);
    this.#announcer = createAnnouncer({
      clock,
      scheduler,
      limits,
      latest: this.latest,
      directory: this.directory,
      emit: (event) => this.#emit(event),
    });
    this.#writer = createWriter({
      store: deps.store,
      clock,
      scheduler,
      limits,
      stored: (lots) => this.#confirm(lots),
      storeChanged: (fault) => this.#tellStore(fault),
    });
  }

  /** Fills the memory from registry and store. A store that does not answer leaves the latest values empty. */
  async load(): Promise<void> {
    for (const { post, birth, receivedAt } of this.#deps.registry.births()) {
      const entry = this.directory.admit(post);
      const index = indexBirth(birth);
      if (entry === undefined || !index.ok) continue;
      Object.assign(entry, { birth, index: index.value, lastContactAt: receivedAt });
    }
    for (const { post, state, connection, at } of this.#deps.registry.postStates()) {
      const entry = this.directory.admit(post);
      if (entry === undefined) continue;
      // A post that was there when the server stopped may be anywhere now.
      Object.assign(entry, { connection, link: state === 'offline' ? 'offline' : 'unknown' });
      entry.lastContactAt = Math.max(at, entry.lastContactAt ?? at);
    }
    const posts = this.directory.posts().map(({ id }) => id);
    // A server that knows no post yet still asks, so that an unreachable store is told at the start and not with the first data.
    for (const id of posts.length > 0 ? posts : [NO_POST]) {
      const points = await this.#deps.store.latest(id);
      if (!points.ok) {
        this.#writer.noteFault(points.fault);
        return;
      }
      for (const point of points.value) this.latest.set(id, point.device, point.metric, point);
    }
  }

  subscribe(listener: Listener): () => void {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  }

  /** One message from the broker. Never throws and never waits, whatever the bytes are. */
  receive(topic: string, payload: Buffer, retained: boolean): void {
    const address = parsePostTopic(topic);
    if (address === undefined || address.fleet !== this.#deps.fleet) {
      this.#counters.topicsForeign += 1;
      return;
    }
    // An empty retained message is how a broker is told to forget one.
    if (payload.length === 0 && address.channel !== 'data') return;
    const entry = this.directory.admit(address.post);
    if (entry === undefined) {
      this.#counters.postsOverLimit += 1;
      this.#complain({ post: address.post }, 'INGEST_POSTS_LIMIT', 'More posts than this server takes: ignored');
      return;
    }
    if (!retained) entry.lastContactAt = this.#deps.clock.now();
    if (address.channel === 'birth') this.#takeBirth(entry, topic, payload, retained);
    else if (address.channel === 'state') this.#takeState(entry, topic, payload, retained);
    else if (address.channel === 'data') this.#takeData(entry, topic, payload);
    else this.#counters.topicsForeign += 1;
  }

  #takeBirth(entry: PostEntry, topic: string, payload: Buffer, retained: boolean): void {
    const read = parseJson(birthDoor, payload, SESSION_BYTES_MAX);
    const index = read.ok ? indexBirth(read.value) : undefined;
    if (!read.ok || index === undefined || !index.ok) {
      this.#counters.birthsUnreadable += 1;
      const message = read.ok ? (index?.ok === false ? index.fault : '') : faultText(read.fault);
      this.#bury('INGEST_BIRTH_FORM', topic, payload, message);
      return;
    }
    const { birth } = index.value;
    this.#counters.births += 1;
    // Its time is what a post without a clock waits for.
    if (!retained) this.#receipt(entry.id, { stored: [], refused: [], time: this.#deps.clock.now() });
    entry.index = index.value;
    for (const early of this.#held.take(entry.id, birth.birth))
      this.#writer.offer(placePayload(entry.id, early, index.value));
    if (entry.birth !== undefined && JSON.stringify(entry.birth) === JSON.stringify(birth)) return;
    entry.birth = birth;
    this.#remember(() => this.#deps.registry.saveBirth(entry.id, birth, this.#deps.clock.now()));
    this.#emit({ type: 'birth', post: entry.id, birth });
  }

  #takeState(entry: PostEntry, topic: string, payload: Buffer, retained: boolean): void {
    const read = parseJson(postStateDoor, payload, SESSION_BYTES_MAX);
    if (!read.ok) {
      this.#counters.statesUnreadable += 1;
      this.#bury('INGEST_STATE_FORM', topic, payload, faultText(read.fault));
      return;
    }
    const message = read.value;
    this.#counters.states += 1;
    if (!stateCounts(entry, message, retained)) {
      this.#counters.statesOld += 1;
      return;
    }
    const isNews = entry.connection !== message.connection || entry.link !== message.state;
    entry.connection = message.connection;
    if (isNews) this.#saveState(entry, message);
    this.#setLink(entry, message.state);
  }

  #saveState(entry: PostEntry, { state, connection }: PostState): void {
    this.#remember(() => this.#deps.registry.savePostState(entry.id, state, connection, this.#deps.clock.now()));
  }

  #setLink(entry: PostEntry, link: PostEntry['link']): void {
    if (entry.link === link) return;
    entry.link = link;
    this.#emit({ type: 'link', post: entry.id, link, at: this.#deps.clock.now() });
  }

  /** Without the broker nobody knows who is there. */
  brokerLost(): void {
    for (const entry of this.directory.posts()) if (entry.link === 'online') this.#setLink(entry, 'unknown');
  }

  #takeData(entry: PostEntry, topic: string, payload: Buffer): void {
    this.#counters.payloads += 1;
    this.#counters.payloadBytes += payload.length;
    const decoded = decodeData(payload);
    if (!decoded.ok) {
      this.#counters.payloadsUnreadable += 1;
      this.#bury(decoded.fault.code, topic, payload, decoded.fault.message);
      return;
    }
    // Data cannot come from a post that is not there.
    this.#setLink(entry, 'online');
    const { birth } = decoded.value;
    if (entry.index === undefined || entry.index.birth.birth !== birth) {
      this.#counters.payloadsUnknownBirth += 1;
      this.#held.keep(entry.id, decoded.value, payload.length);
      this.#askForBirth(entry, birth);
      return;
    }
    this.#writer.offer(placePayload(entry.id, decoded.value, entry.index));
  }

  #askForBirth(entry: PostEntry, birthNeeded: number): void {
    const now = this.#deps.clock.monotonic();
    if (entry.birthAskedAt !== undefined && now - entry.birthAskedAt < this.#deps.limits.birthRequestPeriodMs) return;
    entry.birthAskedAt = now;
    this.#counters.birthsAsked += 1;
    this.#receipt(entry.id, { stored: [], refused: [], birthNeeded, time: this.#deps.clock.now() });
  }

  /** The store holds these lots: receipts first, since posts wait for them, then everybody who listens. */
  #confirm(lots: readonly StoredLot[]): void {
    for (const group of groupBy(lots, ({ lot }) => `${lot.post}/${lot.epoch}`).values()) this.#receiptLots(group);
    for (const stored of lots) this.#announcer.announce(stored);
  }

  #receiptLots(group: readonly StoredLot[]): void {
    const lots = group.map(({ lot }) => lot);
    const [first] = lots;
    if (first === undefined) return;
    const refusals = group.flatMap(({ lot, refused }) => [
      ...lot.refused,
      ...refused.map(({ index, code }) => refusalOfPoint(lot, index, code)),
    ]);
    if (refusals.length > 0) this.#buryRefusals(first.post, first.epoch, refusals);
    for (const receipt of receiptsFor(first.epoch, lots, refusals, this.#deps.clock.now()))
      this.#receipt(first.post, receipt);
  }

  #receipt(post: string, receipt: Receipt): void {
    const sent = this.#deps.send(postTopic(this.#deps.fleet, post, 'receipt'), encodeJson(receipt));
    if (sent) this.#counters.receiptsSent += 1;
    else this.#counters.receiptsUnsent += 1;
  }

  #emit(event: ServerEvent): void {
    for (const listener of this.#listeners) {
      try {
        listener(event);
      } catch (error) {
        // One that stumbles must not keep samples from being receipted, nor the others from hearing.
        this.#counters.listenerFaults += 1;
        this.#deps.log.error({ err: error, event: event.type }, 'A part of the server failed on an event');
      }
    }
  }

  #remember(save: () => void): void {
    try {
      save();
    } catch (error) {
      this.#counters.registryFaults += 1;
      this.#complain({ err: error }, 'REGISTRY_FAULT', 'The registry could not save');
    }
  }

  #bury(code: string, topic: string, payload: Buffer, message: string): void {
    const { deadLetterHeadBytes } = this.#deps.limits;
    this.#deadLetters.keep({
      at: this.#deps.clock.now(),
      code,
      topic,
      message,
      bytes: payload.length,
      head: payload.subarray(0, deadLetterHeadBytes).toString('base64'),
    });
    this.#complain({ topic, bytes: payload.length }, code, `A message could not be read (${message})`);
  }

  #buryRefusals(post: string, epoch: string, refusals: readonly Refusal[]): void {
    this.#counters.samplesRefused += refusals.length;
    for (const [record, group] of groupBy(refusals, (refusal) => refusal.record))
      this.#deadLetters.keep({
        at: this.#deps.clock.now(),
        code: group[0]?.code,
        post,
        epoch,
        record,
        samples: group.slice(0, REFUSED_SAMPLES_KEPT).map(({ sample, code }) => ({ ...sample, refused: code })),
      });
    this.#complain({ post, epoch, count: refusals.length }, refusals[0]?.code ?? '', 'Samples can never be stored');
  }

  #complain(fields: object, code: string, message: string): void {
    const now = this.#deps.clock.monotonic();
    if (now - this.#complainedAt < COMPLAINT_PERIOD_MS) return;
    this.#complainedAt = now;
    this.#deps.log.warn({ code, ...fields }, message);
  }

  #tellStore(fault: StoreFault | undefined): void {
    if (fault === undefined) this.#deps.log.info({}, 'The store answers again');
    else
      this.#deps.log.error(
        { code: fault.code },
        `Nothing is stored: ${fault.message}. The posts keep their data and send it again`,
      );
  }

  counters(): Readonly<Record<string, number>> {
    return {
      ...this.#counters,
      ...this.#held.counters(),
      ...this.#announcer.counters(),
      ...this.#writer.counters(),
      ...this.#deadLetters.counters(),
    };
  }

  storeOk(): boolean {
    return this.#writer.storeOk();
  }

  /** Writes and receipts what was taken in. Nothing more is taken. */
  async stop(): Promise<void> {
    await this.#writer.stop();
    this.#announcer.stop();
    await this.#deadLetters.settled();
  }
}

function refusalOfPoint({ records, points }: Lot, index: number, code: 'STORE_TYPE' | 'STORE_TIME'): Refusal {
  return { record: records[index] as number, code, sample: points[index] as Point };
}

function groupBy<T, K>(items: readonly T[], keyOf: (item: T) => K): Map<K, T[]> {
  const groups = new Map<K, T[]>();
  for (const item of items) {
    const group = groups.get(keyOf(item));
    if (group === undefined) groups.set(keyOf(item), [item]);
    else group.push(item);
  }
  return groups;
}

function faultText(faults: readonly { path: string; message: string }[]): string {
  return faults
    .slice(0, 5)
    .map(({ path, message }) => `${path} ${message}`)
    .join('; ');
}
