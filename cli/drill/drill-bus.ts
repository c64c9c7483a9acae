// A bus without a wire: asks the simulated devices directly, so that virtual time needs no sockets.
import type { Scheduler } from '#domain/clock.js';
import { failed, ok } from '#domain/result.js';
import type { DeviceConfig } from '#gateway/config.js';
import type { Bus } from '#gateway/ports.js';
import type { PostSimulation } from '#simulators/simulation.js';

/** A bus with these devices of a simulated post. A silent one costs its time-out. */
export function drillBus(world: PostSimulation, devices: readonly DeviceConfig[], scheduler: Scheduler): Bus {
  const here = new Set(devices.map(({ id }) => id));
  const placed = world.devices.filter(({ id }) => here.has(id));
  return {
    read: async (request) => {
      for (const { id, unit, device } of placed) {
        if (unit !== request.unit || world.talkTo(id).silent === true) continue;
        const answer = device.read(request.table, request.start, request.count);
        if ('words' in answer) return ok(answer.words);
        if ('exception' in answer)
          return failed({
            code: 'BUS_EXCEPTION',
            exception: answer.exception,
            message: `exception ${answer.exception}`,
          });
      }
      await new Promise<void>((resolve) => {
        scheduler.after(request.timeoutMs, resolve);
      });
      return failed({ code: 'BUS_TIMEOUT', message: 'silent' });
    },
    close: async () => {},
  };
}
