// A gateway that shares the fate of its post: its supply is cut, its clock is lost, its link goes down.
import type { Clock, ClockQuality } from '#domain/clock.js';
import { ok, type Result } from '#domain/result.js';
import type { Gateway } from '#gateway/gateway.js';
import type { PollResult } from '#gateway/ports.js';
import type { Fault } from '#simulators/fault/fault.js';
import type { CommandFault } from '../command.js';
import type { DemoLink } from './link.js';

export interface FragileGateway {
  start(): void;
  /** Records the past; waits for the gateway where it has no supply now. */
  recordPast(results: readonly PollResult[]): Promise<void>;
  /** Follows what is wrong with the post now. */
  suffer(faults: readonly Fault[]): Promise<void>;
  stop(): Promise<void>;
}

/** What a gateway believes the time is. */
export interface FragileClock {
  readonly clock: Clock;
  readonly clockQuality: () => ClockQuality;
}

/** @param open a gateway on the post's folder, as after a start of the machine */
export function openFragileGateway(
  clock: Clock,
  link: DemoLink,
  open: (time: FragileClock) => Result<Gateway, CommandFault>,
): Result<FragileGateway, CommandFault> {
  let errorMs: number | undefined;
  const time: FragileClock = {
    clock: { now: () => clock.now() + (errorMs ?? 0), monotonic: () => clock.monotonic() },
    clockQuality: () => (errorMs === undefined ? 'synchronised' : 'unknown'),
  };
  const first = open(time);
  if (!first.ok) return first;
  let gateway: Gateway | undefined = first.value;
  let hasStarted = false;
  let turn = Promise.resolve();
  let waiting: (() => void)[] = [];

  const suffer = async (faults: readonly Fault[]): Promise<void> => {
    const has = (kind: Fault['kind']): boolean => faults.some((fault) => fault.kind === kind);
    const lost = faults.find((fault) => fault.kind === 'clockLost');
    errorMs = lost === undefined ? undefined : lost.seconds * 1000;
    const isDark = has('powerCut');
    // Nobody says goodbye when the power goes.
    link.setDown(isDark || has('linkDown'));
    if (isDark && gateway) {
      const dying = gateway;
      gateway = undefined;
      await dying.stop();
    }
    if (isDark || gateway) return;
    const again = open(time);
    // The folder is free again at the next turn, if it is not yet.
    if (!again.ok) return;
    gateway = again.value;
    if (hasStarted) gateway.start();
    for (const resume of waiting.splice(0)) resume();
  };
  return ok({
    start() {
      hasStarted = true;
      gateway?.start();
    },
    async recordPast(results) {
      while (!gateway) await new Promise<void>((resolve) => waiting.push(resolve));
      gateway.record(results, { historical: true });
    },
    suffer(faults) {
      turn = turn.then(() => suffer(faults));
      return turn;
    },
    async stop() {
      await turn;
      waiting = [];
      await gateway?.stop();
      gateway = undefined;
    },
  });
}
