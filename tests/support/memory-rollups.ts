// Rollups in memory, by the promises of the port; it counts what is saved.
import type { RollupSpan, WindowRollup } from '#domain/series-rollup.js';
import type { RollupStore, SeriesName, StoreFault } from '#server/ports.js';

export interface MemoryRollups extends RollupStore {
  /** `post/device/metric/span` → start → window. */
  readonly windows: Map<string, Map<number, WindowRollup>>;
  /** How often a window was saved, or said to be gone, by `post/device/metric/quarter/start`. */
  readonly quarterSaves: Map<string, number>;
  fault: StoreFault | undefined;
}

export function createMemoryRollups(): MemoryRollups {
  const keyOf = ({ post, device, metric }: SeriesName, span: RollupSpan): string =>
    `${post}/${device}/${metric}/${span}`;
  const rollups: MemoryRollups = {
    windows: new Map(),
    quarterSaves: new Map(),
    fault: undefined,
    async saveRollups(entries) {
      if (rollups.fault !== undefined) return { ok: false, fault: rollups.fault };
      for (const { series, span, windows, from, to } of entries) {
        const key = keyOf(series, span);
        const kept = rollups.windows.get(key) ?? new Map<number, WindowRollup>();
        rollups.windows.set(key, kept);
        for (const start of kept.keys()) if (start >= from && start < to) kept.delete(start);
        for (const window of windows) kept.set(window.from, window);
        if (span !== 'quarter') continue;
        for (let at = from; at < to; at += 900_000)
          rollups.quarterSaves.set(`${key}/${at}`, (rollups.quarterSaves.get(`${key}/${at}`) ?? 0) + 1);
      }
      return { ok: true, value: undefined };
    },
    async readRollups(series, span, from, to) {
      if (rollups.fault !== undefined) return { ok: false, fault: rollups.fault };
      const kept = [...(rollups.windows.get(keyOf(series, span))?.values() ?? [])];
      return { ok: true, value: kept.filter((w) => w.from >= from && w.from < to).sort((a, b) => a.from - b.from) };
    },
  };
  return rollups;
}
