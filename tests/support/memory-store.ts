// A store in memory that can be told to fail, to wait and to refuse.
import type { Point, RefusedPoint, Store, StoreFault } from '#server/ports.js';
import { rollUpByReading } from '#tests/support/rollup-by-reading.js';

export interface MemoryStore extends Store {
  /** Every point by `post/device/metric/at`. */
  readonly points: Map<string, Point>;
  /** Answers every call with this fault while it is set. */
  fault: StoreFault | undefined;
  /** Why a point is refused; nothing is, unless told. */
  refuse: (point: Point) => RefusedPoint['code'] | undefined;
  /** While set, writes wait for it. */
  gate: Promise<void> | undefined;
  writes: number;
}

export function createMemoryStore(): MemoryStore {
  const store: MemoryStore = {
    points: new Map(),
    fault: undefined,
    refuse: () => undefined,
    gate: undefined,
    writes: 0,
    async write(points) {
      store.writes += 1;
      await store.gate;
      if (store.fault !== undefined) return { ok: false, fault: store.fault };
      const refused: RefusedPoint[] = [];
      points.forEach((point, index) => {
        const code = store.refuse(point);
        if (code !== undefined) refused.push({ index, code });
        else store.points.set(`${point.post}/${point.device}/${point.metric}/${point.at}`, point);
      });
      return { ok: true, value: refused };
    },
    read: async ({ post, device, metric }, from, to) =>
      answer(store, (all) =>
        all.filter((p) => p.post === post && p.device === device && p.metric === metric && p.at >= from && p.at < to),
      ),
    lastBefore: async ({ post, device, metric }, at) =>
      answer(store, (all) =>
        all.findLast(
          (p) => p.post === post && p.device === device && p.metric === metric && p.at < at && p.value !== null,
        ),
      ),
    latest: async (post) =>
      answer(store, (all) => [
        ...new Map(all.filter((p) => p.post === post).map((p) => [`${p.device}/${p.metric}`, p])).values(),
      ]),
    rollUp: (questions) => rollUpByReading(store, questions),
    close: async () => undefined,
  };
  return store;
}

function answer<T>(store: MemoryStore, question: (sorted: Point[]) => T) {
  if (store.fault !== undefined) return { ok: false, fault: store.fault } as const;
  return { ok: true, value: question([...store.points.values()].sort((a, b) => a.at - b.at)) } as const;
}
