// How often each register is read. What belongs together is read together, so it takes the class of its fastest part.

import type { Derived, Register } from '#profiles/profile.js';
import { namesIn } from '../decode/decode.js';

/** A profile, or what is left of one. */
export interface Classed {
  readonly registers: readonly Register[];
  readonly derived?: readonly Derived[];
}

export type PollClass = 'fast' | 'slow' | 'rare';

const RANK: Readonly<Record<PollClass, number>> = { fast: 0, slow: 1, rare: 2 };

export const POLL_CLASSES: readonly PollClass[] = ['fast', 'slow', 'rare'];

function faster(left: PollClass, right: PollClass): PollClass {
  return RANK[left] <= RANK[right] ? left : right;
}

/** Sets of registers that only mean something together: groups, parts of a derived value, a value and its scale factor. */
function bonds(profile: Classed): Register[][] {
  const named = (name: string) => profile.registers.filter((register) => register.name === name);
  const groups = new Map<string, Register[]>();
  for (const register of profile.registers)
    if (register.group !== undefined) groups.set(register.group, [...(groups.get(register.group) ?? []), register]);
  const derived = (profile.derived ?? []).map((value) => namesIn(value).flatMap(named));
  return [...groups.values(), ...derived];
}

/**
 * The class of each register. A scale factor is read whenever one of its values is, but does not make those faster; the
 * parts of a group or of a derived value all follow the fastest of them.
 */
export function pollClassesOf(profile: Classed): ReadonlyMap<Register, PollClass> {
  const classes = new Map<Register, PollClass>(
    profile.registers.map((register) => [register, register.poll ?? 'fast']),
  );
  const classOf = (register: Register) => classes.get(register) ?? 'fast';
  const sets = bonds(profile);
  for (let changed = true; changed; ) {
    changed = false;
    const raise = (register: Register, to: PollClass) => {
      const next = faster(classOf(register), to);
      if (next === classOf(register)) return;
      classes.set(register, next);
      changed = true;
    };
    for (const set of sets) {
      const fastest = set.map(classOf).reduce(faster, 'rare');
      for (const register of set) raise(register, fastest);
    }
    for (const register of profile.registers)
      for (const scale of profile.registers)
        if (register.scaleFrom !== undefined && scale.name === register.scaleFrom) raise(scale, classOf(register));
  }
  return classes;
}
