// How long to leave a peer alone that does not let us in.

export interface BackOff {
  /** Milliseconds until the next attempt is allowed, at this monotonic time; 0 when it is. */
  remainingMs(at: number): number;
  failed(at: number): void;
  succeeded(): void;
}

/** Doubles from `firstMs` with each failure in a row, up to `maxMs`. One success forgets them all. */
export function createBackOff(firstMs: number, maxMs: number): BackOff {
  let failures = 0;
  let allowedAt = Number.NEGATIVE_INFINITY;
  return {
    remainingMs: (at) => Math.max(0, allowedAt - at),
    failed(at) {
      allowedAt = at + Math.min(maxMs, firstMs * 2 ** failures);
      failures = Math.min(failures + 1, 30);
    },
    succeeded() {
      failures = 0;
      allowedAt = Number.NEGATIVE_INFINITY;
    },
  };
}
