// The truth behind the registers: what was really wrong, where, from when to when. For tests of alarms, and for whoever
// judges by eye.
import { type Fault, isPostFault, isTalkFault, type TimedFault } from './fault.js';

/** One line of a truth file. */
export interface Truth {
  readonly post: string;
  readonly what: Fault['kind'];
  /** A device's id, `bus` for all of them, `plant`, or `post` for what the gateway feels. */
  readonly where: string;
  /** ISO 8601, UTC. */
  readonly from: string;
  /** null: it stays. */
  readonly to: string | null;
  /** How much of it, as in the scenario: `share`, `flowM3h`, `delayMs` … */
  readonly measures: Readonly<Record<string, unknown>>;
  readonly note?: string;
}

export function truthOf(post: string, { fault, from, to }: TimedFault): Truth {
  const { fromS: _from, kind, note, toS: _to, ...rest } = fault;
  const { device, ...measures }: Readonly<Record<string, unknown>> = rest;
  return {
    post,
    what: kind,
    where: typeof device === 'string' ? device : isTalkFault(fault) ? 'bus' : isPostFault(fault) ? 'post' : 'plant',
    from: new Date(from).toISOString(),
    to: to === Number.POSITIVE_INFINITY ? null : new Date(to).toISOString(),
    measures,
    ...(note !== undefined && { note }),
  };
}
