// Everything that an outbox keeps, read piece by piece and left as it is.
import type { Outbox } from '#gateway/outbox/outbox.js';
import type { OutboxRecord } from '#gateway/ports.js';

/** So much is held in memory at a time. */
const AT_A_TIME = 6000;

/**
 * Every record whose time is known, oldest first, in lots of one epoch each. The outbox must not change meanwhile.
 * @param receipted with what the server has confirmed and the outbox still keeps
 */
export function* keptRecords(outbox: Pick<Outbox, 'pending'>, receipted: boolean): Generator<readonly OutboxRecord[]> {
  let after: { readonly epoch: string; readonly id: number } | undefined;
  for (;;) {
    const records = outbox.pending('history', {
      liveSince: Number.MAX_SAFE_INTEGER,
      samplesMax: AT_A_TIME,
      recordsMax: AT_A_TIME,
      skip: () => false,
      after,
      receipted,
    });
    after = records.at(-1);
    if (after === undefined) return;
    yield records;
  }
}
