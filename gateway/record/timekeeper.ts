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
 * @param machineQuality how far the machine's own clock may be trusted at this moment. It wins over what was learnt as soon as
 * it is not unknown.
 */
export function createTimekeeper(clock: Clock, machineQuality: () => ClockQuality): Timekeeper {
  let learntOffset: number | undefined;
  return {
    now() {
      if (machineQuality() !== 'unknown') return clock.now();
      return learntOffset === undefined ? undefined : clock.monotonic() + learntOffset;
    },
    quality() {
      const quality = machineQuality();
      return quality === 'unknown' && learntOffset !== undefined ? 'unsynchronised' : quality;
    },
    learn(serverTime) {
      if (learntOffset !== undefined || machineQuality() !== 'unknown') return false;
      learntOffset = serverTime - clock.monotonic();
      return true;
    },
  };
}
