// Late data: that it is arriving, and when it has come to an end.
import type { Scheduler } from '#domain/clock.js';

export interface GapTracker {
  /** Late samples of these source times were stored. `announced`: the post itself called them historical. */
  saw(post: string, from: number, to: number, announced: boolean): void;
  isBackfilling(post: string): boolean;
  stop(): void;
}

interface Gap {
  from: number;
  to: number;
  announced: boolean;
  cancel: () => void;
}

/** Calls `closed` with the span [from, to] of a post's late data once none has come for `quietMs`. */
export function createGapTracker(
  scheduler: Scheduler,
  quietMs: number,
  closed: (post: string, from: number, to: number) => void,
): GapTracker {
  const gaps = new Map<string, Gap>();
  return {
    saw(post, from, to, announced) {
      const present = gaps.get(post);
      present?.cancel();
      const gap: Gap = {
        from: Math.min(from, present?.from ?? from),
        to: Math.max(to, present?.to ?? to),
        announced: announced || (present?.announced ?? false),
        cancel: scheduler.after(quietMs, () => {
          gaps.delete(post);
          closed(post, gap.from, gap.to);
        }),
      };
      gaps.set(post, gap);
    },
    isBackfilling: (post) => gaps.get(post)?.announced ?? false,
    stop() {
      for (const gap of gaps.values()) gap.cancel();
      gaps.clear();
    },
  };
}
