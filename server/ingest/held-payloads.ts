// Data that came before its birth. A broker may let a QoS 0 message overtake a retained one: for the moment that this lasts,
// the data waits here instead of being sent again half a minute later.
import type { DataPayload } from '#contract/data.js';
import type { Clock } from '#domain/clock.js';

export interface HeldPayloads {
  /** Keeps a payload for its birth, while there is room. */
  keep(post: string, payload: DataPayload, bytes: number): void;
  /** Gives up what waits for this birth of the post. What waits for another one goes on waiting, a while. */
  take(post: string, birth: number): readonly DataPayload[];
  counters(): Readonly<Record<'payloadsHeld' | 'payloadsHeldOverLimit', number>>;
}

interface Held {
  readonly payload: DataPayload;
  readonly bytes: number;
  /** Monotonic time of its arrival. */
  readonly at: number;
}

/** Its post has sent it again by then, or given the birth up. */
const HELD_MS = 60_000;

/** @param bytesMax of all posts together, as they came over the wire */
export function createHeldPayloads(bytesMax: number, clock: Pick<Clock, 'monotonic'>): HeldPayloads {
  const byPost = new Map<string, readonly Held[]>();
  const counters = { payloadsHeld: 0, payloadsHeldOverLimit: 0 };
  let bytesHeld = 0;

  function leave(post: string, stays: (held: Held) => boolean): void {
    const held = byPost.get(post) ?? [];
    const staying = held.filter(stays);
    for (const { bytes } of held) bytesHeld -= bytes;
    for (const { bytes } of staying) bytesHeld += bytes;
    if (staying.length > 0) byPost.set(post, staying);
    else byPost.delete(post);
  }

  const isFresh = ({ at }: Held): boolean => clock.monotonic() - at <= HELD_MS;

  return {
    keep(post, payload, bytes) {
      if (bytesHeld + bytes > bytesMax) for (const known of [...byPost.keys()]) leave(known, isFresh);
      if (bytesHeld + bytes > bytesMax) {
        counters.payloadsHeldOverLimit += 1;
        return;
      }
      bytesHeld += bytes;
      counters.payloadsHeld += 1;
      byPost.set(post, [...(byPost.get(post) ?? []), { payload, bytes, at: clock.monotonic() }]);
    },
    take(post, birth) {
      leave(post, isFresh);
      const taken = (byPost.get(post) ?? []).filter(({ payload }) => payload.birth === birth);
      leave(post, (held) => !taken.includes(held));
      return taken.map(({ payload }) => payload);
    },
    counters: () => counters,
  };
}
