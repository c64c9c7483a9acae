// Data that came before its birth. A broker may let a QoS 0 message overtake a retained one: for the moment that this lasts,
// the data waits here instead of being sent again half a minute later.
import type { DataPayload } from '#contract/data.js';

export interface HeldPayloads {
  /** Keeps a payload for its birth, while there is room. */
  keep(post: string, payload: DataPayload, bytes: number): void;
  /** Gives up what waits for this birth of the post, and drops what waits for another one. */
  take(post: string, birth: number): readonly DataPayload[];
  counters(): Readonly<Record<'payloadsHeld' | 'payloadsHeldOverLimit', number>>;
}

interface Held {
  readonly payload: DataPayload;
  readonly bytes: number;
}

/** @param bytesMax of all posts together, as they came over the wire */
export function createHeldPayloads(bytesMax: number): HeldPayloads {
  const byPost = new Map<string, Held[]>();
  const counters = { payloadsHeld: 0, payloadsHeldOverLimit: 0 };
  let bytesHeld = 0;
  return {
    keep(post, payload, bytes) {
      if (bytesHeld + bytes > bytesMax) {
        counters.payloadsHeldOverLimit += 1;
        return;
      }
      bytesHeld += bytes;
      counters.payloadsHeld += 1;
      byPost.set(post, [...(byPost.get(post) ?? []), { payload, bytes }]);
    },
    take(post, birth) {
      const held = byPost.get(post) ?? [];
      byPost.delete(post);
      for (const { bytes } of held) bytesHeld -= bytes;
      return held.flatMap(({ payload }) => (payload.birth === birth ? [payload] : []));
    },
    counters: () => counters,
  };
}
