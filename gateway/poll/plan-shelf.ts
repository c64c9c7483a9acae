// Devices of one profile share what is worked out of it: fifty inverters need one plan, not fifty times the same.
import type { Profile } from '#profiles/profile.js';
import { type ResolvedProfile, resolveProfile } from '../decode/decode.js';
import type { ReadPlan } from './plan.js';

/** Poll classes and what has been learnt make a handful of plans; more would be a leak. */
export const PLANS_MAX = 64;

export interface PlanShelf {
  /** The same object for the same profile and variant. */
  resolve(profile: Profile, variant?: string): ResolvedProfile;
  /** The plan of this key, made where there is none. The key says everything else that the plan depends on. */
  plan(resolved: ResolvedProfile, key: string, make: () => ReadPlan): ReadPlan;
}

export function createPlanShelf(): PlanShelf {
  const resolved = new Map<Profile, Map<string | undefined, ResolvedProfile>>();
  const plans = new Map<ResolvedProfile, Map<string, ReadPlan>>();
  return {
    resolve(profile, variant) {
      const variants = resolved.get(profile) ?? new Map<string | undefined, ResolvedProfile>();
      const found = variants.get(variant) ?? resolveProfile(profile, variant);
      resolved.set(profile, variants.set(variant, found));
      return found;
    },
    plan(of, key, make) {
      const known = plans.get(of);
      const own = known === undefined || known.size > PLANS_MAX ? new Map<string, ReadPlan>() : known;
      const plan = own.get(key) ?? make();
      plans.set(of, own.set(key, plan));
      return plan;
    },
  };
}
