// Everything that waits in an outbox, read piece by piece and left as it is.
import type { Outbox } from '#gateway/outbox/outbox.js';
import type { OutboxRecord } from '#gateway/ports.js';
import { type IdRange, joinRanges, rangesOf } from '#gateway/uplink/id-ranges.js';

/** So much is held in memory at a time. */
const SAMPLES_AT_A_TIME = 100_000;
const RECORDS_AT_A_TIME = 20_000;

/** Every record whose time is known, oldest first, in lots of one epoch each. The outbox must not change meanwhile. */
export function* waitingRecords(
  outbox: Pick<Outbox, 'pending'>,
  samplesMax: number = SAMPLES_AT_A_TIME,
): Generator<readonly OutboxRecord[]> {
  const read = new Map<string, readonly IdRange[]>();
  for (;;) {
    const records = outbox.pending('history', {
      liveSince: Number.MAX_SAFE_INTEGER,
      samplesMax,
      recordsMax: RECORDS_AT_A_TIME,
      skip: (epoch, id) => sortedRangesHave(read.get(epoch) ?? [], id),
    });
    const [first] = records;
    if (first === undefined) return;
    yield records;
    read.set(first.epoch, joinRanges([...(read.get(first.epoch) ?? []), ...rangesOf(records.map(({ id }) => id))]));
  }
}

/** By halves: where many records are receipted between others, there are many ranges. */
function sortedRangesHave(ranges: readonly IdRange[], id: number): boolean {
  let low = 0;
  let high = ranges.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((ranges[middle] as IdRange)[1] < id) low = middle + 1;
    else high = middle;
  }
  const range = ranges[low];
  return range !== undefined && range[0] <= id;
}
