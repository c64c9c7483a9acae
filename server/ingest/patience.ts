// Data that somebody brings waits for a store that does not answer, and for room behind the data that comes by radio.
import type { Scheduler } from '#domain/clock.js';
import { failed, type Result } from '#domain/result.js';
import type { RefusedPoint, StoreFault } from '../ports.js';
import type { Lot } from './ingest.js';
import type { Writer } from './writer.js';

export interface PatienceDeps {
  readonly writer: Pick<Writer, 'offer' | 'stopped'>;
  readonly scheduler: Scheduler;
}

const RETRY_MS = 500;
const RETRIES_MAX = 120;

/** Resolves after the store has confirmed the lot, with what it refused; a fault after a minute of waiting. */
export async function offerPatiently(
  lot: Lot,
  { scheduler, writer }: PatienceDeps,
): Promise<Result<readonly RefusedPoint[], StoreFault>> {
  let outcome = await offer(lot, writer);
  for (let retry = 0; !outcome.ok && retry < RETRIES_MAX && !writer.stopped(); retry += 1) {
    await new Promise<void>((resolve) => scheduler.after(RETRY_MS, resolve));
    // A lot of its own each time: the writer knows lots by what they are.
    outcome = await offer({ ...lot }, writer);
  }
  return outcome;
}

function offer(lot: Lot, writer: PatienceDeps['writer']): Promise<Result<readonly RefusedPoint[], StoreFault>> {
  return new Promise((resolve) => {
    const taken = writer.offer(lot, resolve);
    if (!taken) resolve(failed({ code: 'STORE_UNAVAILABLE', message: 'the server is busy with other data' }));
  });
}
