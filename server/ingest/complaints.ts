// What could not be used: a line in the log now and then, and a dead letter for each.
import type { Clock } from '#domain/clock.js';
import type { DeadLetters } from './dead-letter.js';
import { groupBy } from './group-by.js';
import type { Refusal } from './ingest.js';
import type { Log } from './log.js';

export interface Complaints {
  /** One line in the log, unless the last one was a moment ago: the counters and the dead letters tell the rest. */
  complain(fields: object, code: string, message: string): void;
  /** A message that cannot be read. */
  bury(code: string, topic: string, payload: Buffer, message: string): void;
  /** Samples that can never be stored, by their records. */
  buryRefusals(post: string, epoch: string, refusals: readonly Refusal[]): void;
}

/** Log lines about bad messages are at least this far apart. */
const COMPLAINT_PERIOD_MS = 10_000;
/** Samples of a record that a dead letter holds. The most that one poll of one device gives stays below. */
const REFUSED_SAMPLES_KEPT = 500;

export function createComplaints(deps: {
  readonly clock: Clock;
  readonly log: Log;
  readonly deadLetters: DeadLetters;
  /** How much of an unreadable message is kept. */
  readonly headBytes: number;
}): Complaints {
  const { clock, deadLetters, headBytes, log } = deps;
  let complainedAt = Number.NEGATIVE_INFINITY;

  function complain(fields: object, code: string, message: string): void {
    const now = clock.monotonic();
    if (now - complainedAt < COMPLAINT_PERIOD_MS) return;
    complainedAt = now;
    log.warn({ code, ...fields }, message);
  }

  return {
    complain,
    bury(code, topic, payload, message) {
      deadLetters.keep({
        at: clock.now(),
        code,
        topic,
        message,
        bytes: payload.length,
        head: payload.subarray(0, headBytes).toString('base64'),
      });
      complain({ topic, bytes: payload.length }, code, `A message could not be read (${message})`);
    },
    buryRefusals(post, epoch, refusals) {
      for (const [record, group] of groupBy(refusals, (refusal) => refusal.record))
        deadLetters.keep({
          at: clock.now(),
          code: group[0]?.code ?? '',
          post,
          epoch,
          record,
          samples: group.slice(0, REFUSED_SAMPLES_KEPT).map(({ sample, code }) => ({ ...sample, refused: code })),
          ...(group.length > REFUSED_SAMPLES_KEPT && { samplesLeftOut: group.length - REFUSED_SAMPLES_KEPT }),
        });
      complain({ post, epoch, count: refusals.length }, refusals[0]?.code ?? '', 'Samples can never be stored');
    },
  };
}
