// The ingest without a network: messages in, receipts and events out.
import { decodeData } from '#contract/data.js';
import { parseJson } from '#contract/door.js';
import { type Birth, parseBirth, postStateDoor, SESSION_BYTES_MAX } from '#contract/session.js';
import { parsePostTopic } from '#contract/topic.js';
import type { Clock, Scheduler } from '#domain/clock.js';
import { failed, ok, type Result } from '#domain/result.js';
import type { Point, RefusedPoint, Registry, Store, StoreFault } from '../ports.js';
import { type Announcer, createAnnouncer } from './announcer.js';
import { type CarryIntake, createCarryIntake } from './carry-intake.js';
import { type Complaints, createComplaints } from './complaints.js';
import { createDeadLetters, type DeadLetters } from './dead-letter.js';
import { type DeadLetter, readDeadLetters } from './dead-letter-reader.js';
import { createDirectory, type MutableDirectory, type PostEntry } from './directory.js';
import type { Listener, ServerEvent } from './events.js';
import { createHeldPayloads, type HeldPayloads } from './held-payloads.js';
import type { IdentityConflict } from './identity.js';
import { createIdentityWatch, type IdentityWatch } from './identity-watch.js';
import { indexBirth, POINT_BYTES, placePayload } from './ingest.js';
import { createLatestValues, type MutableLatestValues } from './latest.js';
import type { IngestLimits } from './limits.js';
import { loadPosts } from './load-posts.js';
import type { Log } from './log.js';
import { offerPatiently } from './patience.js';
import { hearState } from './presence.js';
import { createReceipter, type Receipter } from './receipter.js';
import { createSaveQueue, type SaveQueue } from './save-queue.js';
import { createWriter, type StoredLot, type Writer, type WriteWatch } from './writer.js';

export interface EngineDeps {
  readonly fleet: string;
  readonly store: Store;
  readonly registry: Registry;
  readonly dataFolder: string;
  readonly clock: Clock;
  readonly scheduler: Scheduler;
  readonly log: Log;
  readonly limits: IngestLimits;
  readonly watch?: WriteWatch | undefined;
  /** Sends to a topic at QoS 0; false when it could not be sent. Lost receipts are harmless. */
  readonly send: (topic: string, payload: Buffer) => boolean;
}

/**
 * `INGEST_POST_UNKNOWN`: no post of this id was ever heard. `INGEST_POSTS_LIMIT`: there are too many. `IMPORT_KEY_FOREIGN`:
 * the key is not one that may speak for the post.
 */
export interface IngestFault {
  readonly code: 'INGEST_POST_UNKNOWN' | 'INGEST_POSTS_LIMIT' | 'IMPORT_KEY_FOREIGN';
  readonly message: string;
}

/** No post can have this name. */
const NO_POST = '';
const POSTS_LIMIT: IngestFault = { code: 'INGEST_POSTS_LIMIT', message: 'there are more posts than this server takes' };

export class IngestEngine {
  readonly latest: MutableLatestValues = createLatestValues();
  readonly directory: MutableDirectory;
  readonly #deps: EngineDeps;
  readonly #listeners = new Set<Listener>();
  readonly #writer: Writer;
  readonly #saves: SaveQueue;
  readonly #announcer: Announcer;
  readonly #deadLetters: DeadLetters;
  readonly #held: HeldPayloads;
  readonly #complaints: Complaints;
  readonly #receipter: Receipter;
  readonly #identity: IdentityWatch;
  readonly #counters = {
    payloads: 0,
    payloadBytes: 0,
    payloadsUnreadable: 0,
    payloadsUnknownBirth: 0,
    births: 0,
    birthsUnreadable: 0,
    birthNumbersContested: 0,
    states: 0,
    statesUnreadable: 0,
    statesOld: 0,
    statesOfOneOfTwo: 0,
    topicsForeign: 0,
    postsOverLimit: 0,
    listenerFaults: 0,
  };

  constructor(deps: EngineDeps) {
    this.#deps = deps;
    const { limits, clock, scheduler } = deps;
    this.directory = createDirectory(limits.postsMax);
    this.#held = createHeldPayloads(limits.heldBytesMax, clock);
    this.#deadLetters = createDeadLetters(deps.dataFolder, limits.deadLetterBytesMax);
    this.#complaints = createComplaints({
      clock,
      log: deps.log,
      deadLetters: this.#deadLetters,
      headBytes: limits.deadLetterHeadBytes,
    });
    this.#receipter = createReceipter({
      fleet: deps.fleet,
      clock,
      complaints: this.#complaints,
      birthRequestPeriodMs: limits.birthRequestPeriodMs,
      send: deps.send,
    });
    this.#saves = createSaveQueue(scheduler, (error) =>
      this.#complaints.complain({ err: error }, 'REGISTRY_FAULT', 'The registry could not save; trying again'),
    );
    this.#identity = createIdentityWatch({
      clock,
      scheduler,
      directory: this.directory,
      emit: (event) => this.#emit(event),
      save: (post, facts) => this.#saves.save(`identity/${post}`, () => deps.registry.saveIdentity(post, facts)),
      log: deps.log,
    });
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
      watch: deps.watch,
      stored: (lots) => this.#confirm(lots),
      storeChanged: (fault) => this.#tellStore(fault),
    });
  }

  /** Fills the memory from registry and store. A store that does not answer leaves the latest values empty. */
  async load(): Promise<void> {
    loadPosts(this.#deps.registry, this.directory, this.#identity);
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
      this.#complaints.complain(
        { post: address.post },
        'INGEST_POSTS_LIMIT',
        'More posts than this server takes: ignored',
      );
      return;
    }
    if (!retained) entry.lastContactAt = this.#deps.clock.now();
    if (address.channel === 'birth') this.#takeBirth(entry, topic, payload, retained);
    else if (address.channel === 'state') this.#takeState(entry, topic, payload, retained);
    else if (address.channel === 'data') this.#takeData(entry, topic, payload);
    else this.#counters.topicsForeign += 1;
  }

  #takeBirth(entry: PostEntry, topic: string, payload: Buffer, retained: boolean): void {
    const read = parseBirth(payload);
    const placing = read.ok ? indexBirth(read.value) : undefined;
    if (!read.ok || placing === undefined || !placing.ok) {
      this.#counters.birthsUnreadable += 1;
      const message = read.ok ? (placing?.ok === false ? placing.fault : '') : faultText(read.fault);
      this.#complaints.bury('INGEST_BIRTH_FORM', topic, payload, message);
      return;
    }
    const birth = read.value;
    this.#counters.births += 1;
    // Its time is what a post without a clock waits for.
    if (!retained) this.#receipter.greet(entry.id);
    const isPlacedAnew = entry.births.take(placing.value);
    this.#identity.heardBirth(entry, birth.gateway, retained);
    this.#placeHeld(entry, birth.birth);
    const isNews = entry.birth === undefined || JSON.stringify(entry.birth) !== JSON.stringify(birth);
    if (isNews) this.#keepBirth(entry, birth);
    else if (isPlacedAnew)
      this.#saves.save(`placings/${entry.id}`, () => this.#deps.registry.savePlacings(entry.id, entry.births.all()));
  }

  #keepBirth(entry: PostEntry, birth: Birth): void {
    entry.birth = birth;
    const now = this.#deps.clock.now();
    this.#saves.save(`birth/${entry.id}`, () =>
      this.#deps.registry.saveBirth(entry.id, birth, now, entry.births.all()),
    );
    this.#emit({ type: 'birth', post: entry.id, birth });
  }

  /** What came before its birth. A number that two births share places nothing: each gateway that uses it takes another when asked. */
  #placeHeld(entry: PostEntry, number: number): void {
    const held = this.#held.take(entry.id, number);
    const metrics = entry.births.find(number)?.metrics;
    if (metrics !== undefined) {
      for (const early of held) this.#writer.offer(placePayload(entry.id, early, metrics));
      return;
    }
    this.#counters.birthNumbersContested += 1;
    this.#complaints.complain(
      { post: entry.id, birth: number },
      'INGEST_BIRTH_NUMBER',
      'Two gateways of this post gave different births one number: both are asked for new ones',
    );
    this.#receipter.askForBirth(entry, number);
  }

  #takeState(entry: PostEntry, topic: string, payload: Buffer, retained: boolean): void {
    const read = parseJson(postStateDoor, payload, SESSION_BYTES_MAX);
    if (!read.ok) {
      this.#counters.statesUnreadable += 1;
      this.#complaints.bury('INGEST_STATE_FORM', topic, payload, faultText(read.fault));
      return;
    }
    this.#counters.states += 1;
    const before = entry.connection;
    const presence = hearState(entry, read.value, retained);
    if (presence === 'old') this.#counters.statesOld += 1;
    if (presence === 'same') this.#counters.statesOfOneOfTwo += 1;
    if (presence === 'old' || presence === 'same') return;
    if (before !== entry.connection || entry.link !== presence) this.#saveState(entry, presence);
    this.#setLink(entry, presence);
  }

  #saveState({ connection, id }: PostEntry, state: 'online' | 'offline'): void {
    const now = this.#deps.clock.now();
    this.#saves.save(`state/${id}`, () => this.#deps.registry.savePostState(id, state, connection, now));
  }

  #setLink(entry: PostEntry, link: PostEntry['link']): void {
    if (entry.link === link) return;
    entry.link = link;
    this.#emit({ type: 'link', post: entry.id, link, at: this.#deps.clock.now() });
  }

  /**
   * A person has seen who speaks for this post, and takes it as it is: every key heard is trusted, and no conflict stands.
   * `INGEST_POST_UNKNOWN`.
   */
  acceptIdentity(post: string, by: string): Result<IdentityConflict | undefined, IngestFault> {
    const entry = this.directory.post(post);
    if (entry === undefined) return failed({ code: 'INGEST_POST_UNKNOWN', message: `there is no post "${post}"` });
    const stood = this.#identity.accept(entry);
    this.#deps.log.info({ post, by, kinds: stood?.kinds ?? [] }, 'A person accepts the gateways of this post');
    return ok(stood);
  }

  /** Whether a file signed with this key may bring data of this post. Changes nothing. */
  mayCarry(post: string, publicKey: string): Result<void, IngestFault> {
    const entry = this.directory.post(post);
    if (entry === undefined || this.#identity.knowsKey(entry, publicKey)) return ok(undefined);
    const message = `the file is signed with a key that is not known of "${post}"; if its gateway was replaced, accept the new one first`;
    return failed({ code: 'IMPORT_KEY_FOREIGN', message });
  }

  /** Opens the door for a file whose signature was checked. The first key of a post is trusted. */
  openCarry(post: string, publicKey: string): Result<CarryIntake, IngestFault> {
    const may = this.mayCarry(post, publicKey);
    if (!may.ok) return may;
    const entry = this.directory.admit(post);
    if (entry === undefined) return failed(POSTS_LIMIT);
    this.#identity.trustFirst(entry, publicKey);
    const { scheduler } = this.#deps;
    const intake = createCarryIntake(post, { writer: this.#writer, complaints: this.#complaints, scheduler });
    return ok({
      data: (bytes) => intake.data(bytes),
      birth: (birth) => {
        const taken = intake.birth(birth);
        // A post that was never heard by radio has nothing else to be shown by.
        if (taken.ok && entry.birth === undefined) this.#keepBirth(entry, birth);
        return taken;
      },
    });
  }

  /** See {@link IngestService.importPoints}. */
  async importPoints(
    post: string,
    points: readonly Point[],
  ): Promise<Result<readonly RefusedPoint[], IngestFault | StoreFault>> {
    if (this.directory.admit(post) === undefined) return failed(POSTS_LIMIT);
    const lot = { post, epoch: '', historical: true, carried: true, points, records: [], refused: [] } as const;
    const { scheduler } = this.#deps;
    return offerPatiently({ ...lot, bytes: points.length * POINT_BYTES }, { writer: this.#writer, scheduler });
  }

  /** Newest first. */
  async deadLetters(limit: number): Promise<readonly DeadLetter[]> {
    await this.#deadLetters.settled();
    return readDeadLetters(this.#deps.dataFolder, limit);
  }

  /** Without the broker nobody knows who is there. */
  brokerLost(): void {
    for (const entry of this.directory.posts()) {
      entry.openConnections.clear();
      if (entry.link === 'online') this.#setLink(entry, 'unknown');
    }
  }

  #takeData(entry: PostEntry, topic: string, payload: Buffer): void {
    this.#counters.payloads += 1;
    this.#counters.payloadBytes += payload.length;
    const decoded = decodeData(payload);
    if (!decoded.ok) {
      this.#counters.payloadsUnreadable += 1;
      this.#complaints.bury(decoded.fault.code, topic, payload, decoded.fault.message);
      return;
    }
    // Data cannot come from a post that is not there.
    this.#setLink(entry, 'online');
    const { birth } = decoded.value;
    const placing = entry.births.find(birth);
    if (placing?.metrics === undefined) {
      this.#counters.payloadsUnknownBirth += 1;
      if (placing === undefined) this.#held.keep(entry.id, decoded.value, payload.length);
      this.#receipter.askForBirth(entry, birth);
      return;
    }
    this.#identity.heardData(entry, placing.gateway);
    this.#writer.offer(placePayload(entry.id, decoded.value, placing.metrics));
  }

  /** The store holds these lots: receipts first, since posts wait for them, then everybody who listens. */
  #confirm(lots: readonly StoredLot[]): void {
    this.#receipter.confirm(lots);
    for (const stored of lots) this.#announcer.announce(stored);
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
      ...this.#receipter.counters(),
      ...this.#identity.counters(),
      ...this.#announcer.counters(),
      ...this.#writer.counters(),
      ...this.#deadLetters.counters(),
      ...this.#saves.counters(),
    };
  }

  storeOk(): boolean {
    return this.#writer.storeOk();
  }

  /** Writes and receipts what was taken in. Nothing more is taken. */
  async stop(): Promise<void> {
    await this.#writer.stop();
    this.#identity.stop();
    this.#saves.stop();
    this.#announcer.stop();
    await this.#deadLetters.settled();
  }
}

function faultText(faults: readonly { path: string; message: string }[]): string {
  return faults
    .slice(0, 5)
    .map(({ path, message }) => `${path} ${message}`)
    .join('; ');
}
