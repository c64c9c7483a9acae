// Which epochs are this outbox's own. A receipt for another one is for another gateway under the same name.
import type { Outbox } from '../outbox/outbox.js';

/** Receipts for what the last starts sent may still come. */
const STARTS_REMEMBERED = 64;
/** 13 hexadecimal digits fit into a number exactly. */
const DIGITS = 13;

/** Tells epochs of the last starts by what the outbox keeps; an outbox restored from a backup lacks those since. */
export function openOwnEpochs(
  outbox: Pick<Outbox, 'epoch' | 'start' | 'number' | 'keepNumber'>,
): (epoch: string) => boolean {
  const numberOf = (epoch: string) => Number.parseInt(epoch.slice(0, DIGITS), 16);
  const place = (start: number) => `epoch${start % STARTS_REMEMBERED}`;
  outbox.keepNumber(place(outbox.start), numberOf(outbox.epoch));
  const own = new Set(
    Array.from({ length: STARTS_REMEMBERED }, (_, start) => outbox.number(place(start))).filter(
      (number) => number !== undefined,
    ),
  );
  return (epoch) => own.has(numberOf(epoch));
}
