// The ingest as the rest of the server sees it.
import type { Clock, Scheduler } from '#domain/clock.js';
import type { Registry, Store } from '../ports.js';
import type { Directory } from './directory.js';
import type { Listener } from './events.js';
import type { LatestValues } from './latest.js';

/** The part of a pino logger that is used here. */
export interface Log {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

export interface IngestLimits {
  /** Bytes of decoded points that may wait for the store. Beyond it data is dropped without a receipt. */
  readonly memoryBytesMax: number;
  /** Posts that are accepted. */
  readonly postsMax: number;
  /** Points gathered before a write, and how long it may wait for more. */
  readonly batchPointsMax: number;
  readonly batchDelayMs: number;
  /** Pause after a store fault. */
  readonly storeRetryMs: number;
  /** A birth is asked for at most so often per post. */
  readonly birthRequestPeriodMs: number;
  /** Late data has come to an end when none came for so long. */
  readonly gapQuietMs: number;
  /** Size of the dead-letter file, and how much of each payload is kept in it. */
  readonly deadLetterBytesMax: number;
  readonly deadLetterHeadBytes: number;
}

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
}

export interface IngestService {
  readonly latest: LatestValues;
  readonly directory: Directory;
  /** Calls the listener with every event until the returned function is called. */
  subscribe(listener: Listener): () => void;
  /** Asks a post to send every poll for `forS` seconds (1 to 300). */
  attend(post: string, forS: number): void;
  counters(): Readonly<Record<string, number>>;
  brokerConnected(): boolean;
  storeOk(): boolean;
  /** Fills the memory from registry and store, then subscribes. Resolves when the first connection stands or after 5 s without one; it goes on trying. */
  start(): Promise<void>;
  /** Says that the server is gone, waits for writes in flight, and closes the connection. Store and registry stay open. */
  stop(): Promise<void>;
}

export function createIngestService(_deps: IngestDeps): IngestService {
  throw new Error('in the making');
}
