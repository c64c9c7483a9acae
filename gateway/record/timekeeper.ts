// What time the post believes it is. Many gateways have no clock battery: until somebody tells them, they know none.
import type { Clock, ClockQuality } from '#domain/clock.js';

export interface Timekeeper {
  /** Unix epoch, ms; `undefined` while unknown. */
  now(): number | undefined;
  quality(): ClockQuality;
  /** Takes the server's time where nothing better is known. True when that made the time known. */
  learn(serverTime: number): boolean;
}

/**
 * Time that is known once stays known: where the machine's clock falls back into the impossible past, the last offset carries on by
 * the monotonic clock.
 * @param machineQuality how far the machine's own clock may be trusted at this moment. It wins over what was learnt as soon as
 * it is not unknown.
 */
export function createTimekeeper(clock: Clock, machineQuality: () => ClockQuality): Timekeeper {
  /** Wall clock less monotonic clock, when it was last known. */
  let offsetMs: number | undefined;
  return {
    now() {
      if (machineQuality() !== 'unknown') offsetMs = clock.now() - clock.monotonic();
      return offsetMs === undefined ? undefined : Math.round(clock.monotonic() + offsetMs);
    },
    quality() {
      const quality = machineQuality();
      return quality === 'unknown' && offsetMs !== undefined ? 'unsynchronised' : quality;
    },
    learn(serverTime) {
      if (offsetMs !== undefined || machineQuality() !== 'unknown') return false;
      offsetMs = serverTime - clock.monotonic();
      return true;
    },
  };
}
