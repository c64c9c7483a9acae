// Polls the devices of a post when they are due: buses side by side, on each bus one device after the other.
import type { Clock, Scheduler } from '#domain/clock.js';
import type { LoadedProfile } from '#profiles/catalog.js';
import { realScheduler } from '../bus/real-time.js';
import type { DeviceConfig, GatewayConfig } from '../config.js';
import { POLL_CLASS_MS } from '../defaults.js';
import type { Bus, PollResult } from '../ports.js';
import { DevicePoller } from './device-poller.js';
import { createPlanShelf } from './plan-shelf.js';
import { POLL_CLASSES, type PollClass } from './poll-class.js';

export interface PostReader {
  /**
   * Polls every device that is due at this source time (every one, with `all`) and tells every metric that is due, good or
   * not. A call while another runs begins when that has ended.
   */
  pollOnce(at: number, options?: { all?: boolean }): Promise<readonly PollResult[]>;
  /** When the next device is due: now, or later. `Infinity` without devices. */
  nextDueAt(at: number): number;
  /** Ends the running poll by closing the buses. */
  close(): Promise<void>;
}

export interface PostReaderDeps {
  readonly buses: ReadonlyMap<string, Bus>;
  readonly catalog: ReadonlyMap<string, LoadedProfile>;
  readonly clock: Clock;
  readonly scheduler?: Scheduler;
}

/** Devices are polled at whole multiples of their period, so that those of one post share their times. */
interface Schedule {
  readonly device: DeviceConfig;
  readonly poller: DevicePoller;
  /** Number of the period in which each class was last polled. */
  readonly slots: Map<PollClass, number>;
}

/** Reading a device late by less is no news; by more, its source time must say so. */
const TIME_STEP_MS = 1000;

/** Throws where the configuration names a bus or a profile that is not there: `parseGatewayConfig` has refused that. */
export function createPostReader(config: GatewayConfig, deps: PostReaderDeps): PostReader {
  const shelf = createPlanShelf();
  const lines = config.buses.map((busConfig) => {
    const devices = config.devices.filter((device) => device.bus === busConfig.id);
    return devices.map((device): Schedule => {
      const bus = deps.buses.get(busConfig.id);
      const loaded = deps.catalog.get(device.profile);
      if (bus === undefined || loaded === undefined)
        throw new Error(`device "${device.id}" lacks its ${bus === undefined ? 'bus' : 'profile'}`);
      const scheduler = deps.scheduler ?? realScheduler;
      const poller = new DevicePoller(device, loaded.profile, { bus, busConfig, clock: deps.clock, scheduler, shelf });
      return { device, poller, slots: new Map() };
    });
  });
  let last: Promise<unknown> = Promise.resolve();

  async function pollLine(schedules: readonly Schedule[], at: number, all: boolean): Promise<PollResult[]> {
    const startedAt = deps.clock.monotonic();
    const results: PollResult[] = [];
    for (const schedule of schedules) {
      const classes = all ? new Set(POLL_CLASSES) : dueClasses(schedule, at);
      if (classes.size === 0) continue;
      for (const pollClass of classes) schedule.slots.set(pollClass, slotOf(schedule, pollClass, at));
      const lateMs = Math.max(0, deps.clock.monotonic() - startedAt);
      const readAt = at + Math.floor(lateMs / TIME_STEP_MS) * TIME_STEP_MS;
      results.push({ device: schedule.device.id, at: readAt, readings: await schedule.poller.poll(readAt, classes) });
    }
    return results;
  }

  return {
    pollOnce(at, options = {}) {
      const run = last.then(async () => {
        const results = await Promise.all(lines.map((schedules) => pollLine(schedules, at, options.all === true)));
        return results.flat();
      });
      last = run.catch(() => undefined);
      return run;
    },
    nextDueAt(at) {
      const times = lines.flat().map((schedule) => {
        const slot = slotOf(schedule, 'fast', at);
        return schedule.slots.get('fast') === slot ? (slot + 1) * schedule.device.pollPeriodMs : at;
      });
      return Math.min(Number.POSITIVE_INFINITY, ...times);
    },
    async close() {
      await Promise.all([...deps.buses.values()].map((bus) => bus.close()));
      await last;
    },
  };
}

function periodMs(device: DeviceConfig, pollClass: PollClass): number {
  return Math.max(device.pollPeriodMs, POLL_CLASS_MS[pollClass]);
}

function slotOf({ device }: Schedule, pollClass: PollClass, at: number): number {
  return Math.floor(at / periodMs(device, pollClass));
}

/** Another slot is due, also an earlier one: a clock that was set back must not stop the polling. */
function dueClasses(schedule: Schedule, at: number): Set<PollClass> {
  const due = (pollClass: PollClass) => schedule.slots.get(pollClass) !== slotOf(schedule, pollClass, at);
  // Slow and rare ones ride along with a fast poll.
  return due('fast') ? new Set(POLL_CLASSES.filter(due)) : new Set();
}
