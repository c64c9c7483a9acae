// The values of a post by device, each judged.
import type { DeviceView, MetricView } from '#contract/view.js';
import { type Judged, judge } from './figure.js';
import type { PostDetail } from './live-state.js';

export interface ValueRow {
  readonly metric: MetricView;
  readonly judged: Judged;
}

export interface DeviceValues {
  readonly device: DeviceView;
  readonly rows: readonly ValueRow[];
  /** How many have no good value now. */
  readonly notGood: number;
  /** Newest source time of the device; null before its first value. */
  readonly newestAt: number | null;
}

/** Devices in the order of the post's birth; the gateway, which measures nothing, last. */
export function deviceValues(detail: PostDetail, now: number): DeviceValues[] {
  const rowsOf = new Map<string, ValueRow[]>();
  for (const metric of detail.metrics) {
    const rows = rowsOf.get(metric.device) ?? [];
    rowsOf.set(metric.device, rows);
    rows.push({ metric, judged: judge(detail.values.get(metric.id), now, metric.staleAfterMs) });
  }
  const isLast = (device: DeviceView): number => Number(device.kind === 'gateway');
  return [...detail.devices]
    .sort((one, other) => isLast(one) - isLast(other))
    .map((device) => {
      const rows = rowsOf.get(device.id) ?? [];
      const times = rows.flatMap(({ judged }) => (judged.at === null ? [] : [judged.at]));
      return {
        device,
        rows,
        notGood: rows.filter(({ judged }) => judged.trust !== 'good').length,
        newestAt: times.length === 0 ? null : Math.max(...times),
      };
    });
}
