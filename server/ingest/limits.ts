// How much of everything the ingest takes. Each limit has a counter that says that it was reached.

export interface IngestLimits {
  /** Bytes of decoded points that may wait for the store. Beyond it data is dropped without a receipt. */
  readonly memoryBytesMax: number;
  /** Bytes of payloads that may wait for their birth. */
  readonly heldBytesMax: number;
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
  /** A sample further ahead of the server's clock is stored, but is not believed to be the present. */
  readonly futureMs: number;
  /** Size of both dead-letter files together, and how much of each payload is kept in them. */
  readonly deadLetterBytesMax: number;
  readonly deadLetterHeadBytes: number;
}

export const DEFAULT_LIMITS: IngestLimits = {
  memoryBytesMax: 64 * 1024 * 1024,
  heldBytesMax: 4 * 1024 * 1024,
  postsMax: 10_000,
  batchPointsMax: 6000,
  batchDelayMs: 4,
  storeRetryMs: 2000,
  birthRequestPeriodMs: 10_000,
  gapQuietMs: 15_000,
  futureMs: 600_000,
  deadLetterBytesMax: 8 * 1024 * 1024,
  deadLetterHeadBytes: 1024,
};
