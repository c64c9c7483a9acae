import { failed, ok } from '#domain/result.js';
import type { Bus } from '#gateway/ports.js';
import type { PostSimulation } from '#simulators/simulation.js';

/** A bus without a wire: asks the simulated devices directly, so that virtual time needs no sockets. */
export function directBus(post: PostSimulation, bus: string): Bus {
  return {
    read: async (request) => {
      const device = post.deviceOf(request.unit, bus);
      const answer = device?.read(request.table, request.start, request.count) ?? { silent: true as const };
      if ('words' in answer) return ok(answer.words);
      if ('exception' in answer)
        return failed({ code: 'BUS_EXCEPTION', exception: answer.exception, message: `exception ${answer.exception}` });
      return failed({ code: 'BUS_TIMEOUT', message: 'silent' });
    },
    close: async () => {},
  };
}
