// The ingest as the rest of the server sees it.
import { encodeJson } from '#contract/session.js';
import { postTopic } from '#contract/topic.js';
import type { Clock, Scheduler } from '#domain/clock.js';
import { failed, ok, type Result } from '#domain/result.js';
import type { Point, RefusedPoint, Registry, Store, StoreFault } from '../ports.js';
import type { CarryIntake } from './carry-intake.js';
import type { DeadLetter } from './dead-letter-reader.js';
import type { Directory } from './directory.js';
import type { Listener } from './events.js';
import type { IdentityConflict } from './identity.js';
import { IngestEngine, type IngestFault } from './ingest-engine.js';
import type { LatestValues } from './latest.js';
import { DEFAULT_LIMITS, type IngestLimits } from './limits.js';
import type { Log } from './log.js';
import { createReplayDesk, type ReplayAnswer, type ReplayRequest } from './replay-desk.js';
import { createSubscriber, type Subscriber } from './subscriber.js';
import type { WriteWatch } from './writer.js';

export type { Log };

export interface IngestDeps {
  readonly fleet: string;
  readonly store: Store;
  readonly registry: Registry;
  /** `mqtt://127.0.0.1:1883` */
  readonly mqttUrl: string;
  readonly mqttOptions?: { readonly username?: string; readonly password?: string };
  readonly dataFolder: string;
  readonly clock: Clock;
  readonly scheduler: Scheduler;
  readonly log: Log;
  readonly limits?: Partial<IngestLimits>;
  /** Told of every write. */
  readonly watch?: WriteWatch | undefined;
}

export interface IngestService {
  readonly latest: LatestValues;
  readonly directory: Directory;
  /** Calls the listener with every event until the returned function is called. */
  subscribe(listener: Listener): () => void;
  /** Asks a post to send every poll for `forS` seconds (1 to 300). */
  attend(post: string, forS: number): void;
  /** Asks a post to send again; it is told now, or when it comes. `INGEST_POST_UNKNOWN`, `REGISTRY_FAULT`. */
  replay(post: string, request: ReplayRequest): Result<ReplayAnswer, IngestFault | RegistryFault>;
  /** A person takes the gateways of a post as they are. The conflict that stood. `INGEST_POST_UNKNOWN`. */
  acceptIdentity(post: string, by: string): Result<IdentityConflict | undefined, IngestFault>;
  /** The newest, newest first. */
  deadLetters(limit: number): Promise<readonly DeadLetter[]>;
  /** Whether a file signed with this key may bring data of this post. `IMPORT_KEY_FOREIGN`. */
  mayCarry(post: string, publicKey: string): Result<void, IngestFault>;
  /** For a file whose signature was checked. `IMPORT_KEY_FOREIGN`, `INGEST_POSTS_LIMIT`. */
  openCarry(post: string, publicKey: string): Result<CarryIntake, IngestFault>;
  /**
   * Points of older loggers, written as late data behind what comes by radio. Resolves after the store has confirmed them, with
   * what it refused. `INGEST_POSTS_LIMIT`, or the store's codes after a minute without it.
   */
  importPoints(
    post: string,
    points: readonly Point[],
  ): Promise<Result<readonly RefusedPoint[], IngestFault | StoreFault>>;
  counters(): Readonly<Record<string, number>>;
  brokerConnected(): boolean;
  storeOk(): boolean;
  /** Fills the memory from registry and store, then subscribes. Resolves when the first connection stands or after 5 s without one; it goes on trying. */
  start(): Promise<void>;
  /** Says that the server is gone, waits for writes in flight, and closes the connection. Store and registry stay open. */
  stop(): Promise<void>;
}

/** The request could not be kept: nothing was asked. */
export interface RegistryFault {
  readonly code: 'REGISTRY_FAULT';
  readonly message: string;
}

/** How long the start waits for a broker before the rest of the server goes on. */
const START_WAIT_MS = 5000;
/** How long the stop waits for a store or a broker that may never answer. */
const STOP_WAIT_MS = 10_000;
const ATTENTION_S_MAX = 300;

export function createIngestService(deps: IngestDeps): IngestService {
  const { clock, fleet, log, mqttOptions, scheduler } = deps;
  let subscriber: Subscriber | undefined;
  const engine = new IngestEngine({
    ...deps,
    limits: { ...DEFAULT_LIMITS, ...deps.limits },
    send: (topic, payload) => subscriber?.send(topic, payload) ?? false,
  });
  const desk = createReplayDesk({
    clock,
    registry: deps.registry,
    isOnline: (post) => engine.directory.post(post)?.link === 'online',
    publish: (post, replay) => subscriber?.sendSurely(postTopic(fleet, post, 'replay'), encodeJson(replay)) ?? false,
  });
  engine.subscribe((event) => {
    if (event.type === 'link' && event.link === 'online') desk.cameOnline(event.post);
  });
  return {
    latest: engine.latest,
    directory: engine.directory,
    subscribe: (listener) => engine.subscribe(listener),
    attend(post, forS) {
      const seconds = Math.min(Math.max(0, Math.floor(forS)), ATTENTION_S_MAX);
      if (engine.directory.post(post) === undefined) return;
      subscriber?.send(postTopic(fleet, post, 'attention'), encodeJson({ forS: seconds }));
    },
    replay(post, request) {
      if (engine.directory.post(post) === undefined)
        return failed({ code: 'INGEST_POST_UNKNOWN', message: `there is no post "${post}"` });
      try {
        const answer = desk.ask(post, request);
        log.info({ post, ...request, ...answer }, 'A person asks a post to send again');
        return ok(answer);
      } catch (error) {
        return failed({ code: 'REGISTRY_FAULT', message: error instanceof Error ? error.message : String(error) });
      }
    },
    acceptIdentity: (post, by) => engine.acceptIdentity(post, by),
    deadLetters: (limit) => engine.deadLetters(limit),
    mayCarry: (post, publicKey) => engine.mayCarry(post, publicKey),
    openCarry: (post, publicKey) => engine.openCarry(post, publicKey),
    importPoints: (post, points) => engine.importPoints(post, points),
    counters: () => ({ ...engine.counters(), ...desk.counters(), ...subscriber?.counters() }),
    brokerConnected: () => subscriber?.connected() ?? false,
    storeOk: () => engine.storeOk(),
    async start() {
      await engine.load();
      desk.load();
      subscriber = createSubscriber({
        ...mqttOptions,
        fleet,
        url: deps.mqttUrl,
        clock,
        scheduler,
        log,
        receive: (topic, payload, retained) => engine.receive(topic, payload, retained),
        lost: () => engine.brokerLost(),
      });
      await within(scheduler, START_WAIT_MS, subscriber.ready);
    },
    async stop() {
      if (!(await within(scheduler, STOP_WAIT_MS, engine.stop())))
        log.warn(
          { code: 'STORE_UNAVAILABLE' },
          'The store did not answer to the end; the posts send again what it has not confirmed',
        );
      if (subscriber !== undefined) await within(scheduler, STOP_WAIT_MS, subscriber.stop());
    },
  };
}

/** Waits for a task, or so long. True when the task has ended. */
async function within(scheduler: Scheduler, ms: number, task: Promise<void>): Promise<boolean> {
  let cancel = (): void => undefined;
  const waited = new Promise<boolean>((resolve) => {
    cancel = scheduler.after(ms, () => resolve(false));
  });
  const ended = await Promise.race([task.then(() => true), waited]);
  cancel();
  return ended;
}
