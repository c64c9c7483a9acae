// Says in the log, once each time it changes, that a device fell silent or answers again.
import type { Reason } from '#domain/quality.js';
import type { BusFault, PollResult } from '../ports.js';
import type { Log } from '../uplink/log.js';

const CODES: Partial<Record<Reason, BusFault['code']>> = {
  timeout: 'BUS_TIMEOUT',
  exception: 'BUS_EXCEPTION',
  garbled: 'BUS_GARBLED',
  disconnected: 'BUS_DISCONNECTED',
};

/** Takes each poll's results. A device that answers from the start is not worth a line. */
export function createDeviceWatch(log: Log): (results: readonly PollResult[]) => void {
  const states = new Map<string, string>();
  return (results) => {
    for (const { device, readings } of results) {
      const state = readings.find(({ metric }) => metric === 'poll.state')?.value;
      const before = states.get(device) ?? 'answering';
      if (typeof state !== 'string' || state === before) continue;
      states.set(device, state);
      const code = readings.map(({ reason }) => CODES[reason]).find((one) => one !== undefined);
      if (state === 'answering') log.info({ device }, `device "${device}" answers again`);
      else
        log.warn(
          { device, ...(code === undefined ? {} : { code }) },
          `device "${device}" is ${state}; see docs/operations.md`,
        );
    }
  };
}
