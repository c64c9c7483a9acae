// One device, once, whole: for commissioning and `oftob read`.
import type { Reading } from '#domain/reading.js';
import type { Profile } from '#profiles/profile.js';
import { realClock, realScheduler } from '../bus/real-time.js';
import type { Bus } from '../ports.js';
import { DevicePoller } from './device-poller.js';
import { createPlanShelf } from './plan-shelf.js';
import { POLL_CLASSES } from './poll-class.js';

/** Where a profile says nothing. */
const TIMEOUT_MS = 1000;

/**
 * Every metric of a device, in the order of its profile, good or with the reason why not. Source time is that of the call.
 * Never throws: a device that does not answer gives readings that say so.
 */
export async function readDevice(profile: Profile, bus: Bus, unit: number): Promise<readonly Reading[]> {
  const device = {
    id: 'device',
    bus: 'bus',
    profile: profile.id,
    unit,
    reversed: false,
    pollPeriodMs: 1000,
    deadbands: {},
    watch: {},
  };
  const poller = new DevicePoller(device, profile, {
    bus,
    busConfig: { id: 'bus', type: 'tcp', host: '', port: 0, timeoutMs: TIMEOUT_MS },
    clock: realClock,
    scheduler: realScheduler,
    shelf: createPlanShelf(),
  });
  const readings = await poller.poll(realClock.now(), new Set(POLL_CLASSES));
  return readings.filter(({ metric }) => !metric.startsWith('poll.'));
}
