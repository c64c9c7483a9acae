// What was broken by hand: each fault with its number, so that it can be mended.
import { failed, ok, type Result } from '#domain/result.js';
import { metricsOf } from '#profiles/extent.js';
import type { Fault } from '#simulators/fault/fault.js';
import { groupsAt, kindsAt, namesDevice, usualFault } from '#simulators/fault/usual-faults.js';
import type { PostSimulation } from '#simulators/simulation.js';

/** Faults that may be started by hand and stand at once, over all posts. */
const MOST_BROKEN = 100;

export interface Broken {
  readonly number: number;
  readonly post: string;
  readonly fault: Fault;
  /** Epoch ms. */
  readonly since: number;
}

export interface BreakOrder {
  readonly post: string;
  readonly kind: string;
  /** Empty: wherever it belongs. */
  readonly device: string;
  /** 0 (mild) to 1 (severe). */
  readonly severity: number;
}

export type BreakFault = 'noPost' | 'unknownKind' | 'needsDevice' | 'noDevice' | 'tooMany';

export interface Breakage {
  breakIt(order: BreakOrder, now: number): Result<Broken, BreakFault>;
  /** False where it stands no more. */
  mend(number: number): boolean;
  mendAll(post: string): void;
  standing(post: string): readonly Broken[];
}

export function createBreakage(posts: ReadonlyMap<string, PostSimulation>): Breakage {
  const broken = new Map<number, Broken & { readonly end: () => void }>();
  let last = 0;
  const mend = (number: number): boolean => {
    broken.get(number)?.end();
    return broken.delete(number);
  };
  const standing = (post: string): (Broken & { readonly end: () => void })[] =>
    [...broken.values()].filter((one) => one.post === post);
  return {
    breakIt(order, now) {
      const post = posts.get(order.post);
      if (!post) return failed('noPost');
      if (broken.size >= MOST_BROKEN) return failed('tooMany');
      const fault = faultOf(post, order);
      if (!fault.ok) return fault;
      last += 1;
      const end = post.inject(fault.value);
      const one = { number: last, post: order.post, fault: fault.value, since: now, end };
      broken.set(last, one);
      return ok(one);
    },
    mend,
    mendAll(post) {
      for (const { number } of standing(post)) mend(number);
    },
    standing,
  };
}

function faultOf(post: PostSimulation, { kind, device, severity }: BreakOrder): Result<Fault, BreakFault> {
  const known = groupsAt(post.spec).some((group) => kindsAt(post.spec, group).some((one) => one === kind));
  if (!known) return failed('unknownKind');
  const placed = post.devices.find(({ id }) => id === device);
  if (device !== '' && !placed) return failed('noDevice');
  const faulty = placed && { id: placed.id, metrics: metricsOf(placed.device.profile) };
  const fault = usualFault(kind, severity, faulty);
  if (fault) return ok(fault);
  return failed(namesDevice(kind as Fault['kind']) && device === '' ? 'needsDevice' : 'noDevice');
}
