// What a post's gateway says of its own delivery.

import { deviceValues, type ValueRow } from './device-values.js';
import { numberOf } from './figure.js';
import type { PostDetail } from './live-state.js';

/** In the order of the screen. Of several in one place the first that the gateway has is shown. */
const SHOWN: readonly (readonly string[])[] = [
  ['gateway.outboxRecords'],
  ['gateway.outboxFill'],
  ['gateway.outboxCapacity'],
  ['gateway.samplesExpired', 'gateway.recordsExpired'],
  ['gateway.samplesAggregated', 'gateway.recordsAggregated'],
  ['gateway.recordsRefused'],
  ['gateway.recordsReplayed'],
  ['gateway.clockQuality'],
  ['gateway.budgetUsed'],
  ['gateway.bytesSent'],
];

/** The rows that the gateway has; none for a post whose gateway tells nothing of itself. */
export function deliveryOf(detail: PostDetail, now: number): ValueRow[] {
  const rows = deviceValues(detail, now).find(({ device }) => device.kind === 'gateway')?.rows ?? [];
  return SHOWN.flatMap((names) => {
    const row = names
      .map((name) => rows.find(({ metric }) => metric.metric === name))
      .find((candidate) => candidate !== undefined);
    return row === undefined ? [] : [row];
  });
}

/** How long the free part of the outbox lasts at the rate of the last day; null where that is not known. */
export function outboxLeftMs(rows: readonly ValueRow[]): number | null {
  const told = (name: string): number | null => {
    const row = rows.find(({ metric }) => metric.metric === name);
    return row === undefined ? null : numberOf(row.judged);
  };
  const [capacityS, fill] = [told('gateway.outboxCapacity'), told('gateway.outboxFill')];
  return capacityS === null || fill === null ? null : capacityS * 1000 * (1 - fill / 100);
}
