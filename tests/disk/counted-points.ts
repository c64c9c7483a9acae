// Points that a test can tell one from another: the n-th second, with a value that no other has.
import type { Point, SeriesName, Store } from '#server/ports.js';

export const T0 = Date.UTC(2026, 0, 15);
export const POWER: SeriesName = { post: 'langar', device: 'meter', metric: 'ac.power' };

export function pointsOf(from: number, count: number): Point[] {
  return Array.from({ length: count }, (_, i) => ({
    ...POWER,
    at: T0 + (from + i) * 1000,
    value: Math.sin(from + i),
    code: 0,
  }));
}

/** How many points the write has that begins with this one. */
export function sizeOf(from: number): number {
  return 1 + ((from * 7919) % 997);
}

export async function storedIn(store: Store): Promise<readonly Point[]> {
  const read = await store.read(POWER, 0, T0 * 2);
  if (!read.ok) throw new Error(read.fault.message);
  return read.value;
}

/** Both of the first place where they differ: comparing tens of thousands of points as a whole takes seconds. */
export function differences(found: readonly Point[], expected: readonly Point[]): unknown[] {
  const length = Math.max(found.length, expected.length);
  for (let i = 0; i < length; i += 1) {
    const [one, other] = [found[i], expected[i]];
    if (one?.at !== other?.at || one?.value !== other?.value || one?.code !== other?.code) return [i, one, other];
  }
  return [];
}
