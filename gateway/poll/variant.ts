// Which variant of its profile a device is, by the registers that tell.
import { tableOf } from '#profiles/extent.js';
import type { Condition, Profile, Register } from '#profiles/profile.js';
import { textOf } from '../decode/codec.js';
import { rawNumberOf } from '../decode/decode-register.js';
import { wordAddressesOf } from '../decode/word-image.js';
import type { BusFault } from '../ports.js';
import type { Asker } from './asker.js';

export type VariantAnswer =
  | { readonly known: true; readonly variant?: string }
  | { readonly known: false; readonly fault: BusFault };

/** Asks for the registers of the conditions, each place once, and takes the first variant whose condition holds. */
export async function findVariant(profile: Profile, asker: Asker): Promise<VariantAnswer> {
  const asked = new Map<string, readonly number[] | 'refused'>();
  for (const variant of profile.variants ?? []) {
    const holds = await testCondition(profile, variant.when, asker, asked);
    if (typeof holds !== 'boolean') return { known: false, fault: holds };
    if (holds) return { known: true, variant: variant.name };
  }
  return { known: true };
}

/** Whether the device is what the profile takes it for; the fault where it did not answer. */
export async function testIdentity(profile: Profile, asker: Asker): Promise<boolean | BusFault> {
  const asked = new Map<string, readonly number[] | 'refused'>();
  for (const condition of profile.identify ?? []) {
    const holds = await testCondition(profile, condition, asker, asked);
    if (holds !== true) return holds;
  }
  return true;
}

async function testCondition(
  profile: Profile,
  condition: Condition,
  asker: Asker,
  asked: Map<string, readonly number[] | 'refused'>,
): Promise<boolean | BusFault> {
  const register = registerOf(condition);
  const table = tableOf(profile, condition);
  const count = wordAddressesOf(profile, register).own.length;
  const key = `${table} ${condition.at} ${count}`;
  let words = asked.get(key);
  if (words === undefined) {
    const attempt = await asker.ask({ table, start: condition.at, count });
    if (!attempt.ok && attempt.fault.code !== 'BUS_EXCEPTION') return attempt.fault;
    words = attempt.ok ? attempt.value : 'refused';
    asked.set(key, words);
  }
  return words !== 'refused' && holds(profile, condition, register, words);
}

function registerOf({ at, type, words, order }: Condition): Register {
  return { at, type: type ?? 'u16', ...(words !== undefined && { words }), ...(order !== undefined && { order }) };
}

function holds(profile: Profile, condition: Condition, register: Register, words: readonly number[]): boolean {
  if (register.type === 'string') {
    const text = textOf(register, words);
    return text !== undefined && condition.oneOf?.includes(text) === true;
  }
  const raw = rawNumberOf(register, { own: words }, register.order ?? profile.protocol.order);
  if (raw === null) return false;
  const number = Number(raw);
  if (condition.oneOf !== undefined && !condition.oneOf.some((value) => Number(value) === number)) return false;
  return (
    (condition.min === undefined || number >= condition.min) && (condition.max === undefined || number <= condition.max)
  );
}
