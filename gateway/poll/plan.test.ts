import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { loadCatalog } from '#profiles/catalog.js';
import { addressesOf, tableOf } from '#profiles/extent.js';
import type { Profile, Register } from '#profiles/profile.js';
import { type CostModel, networkCost, type PlanOptions, planReads, type ReadBlock, serialCost } from './plan.js';

const COST: CostModel = serialCost({ baud: 9600, parity: 'none', stopBits: 1 }, 20, 0);

interface Limits {
  readonly maxRegisters: number;
  readonly allowedGap: number;
  readonly alignment: number;
  readonly forbidden: readonly { from: number; to: number }[];
}

function profileWith(registers: Register[], limits: Limits): Profile {
  const { maxRegisters, allowedGap, alignment, forbidden } = limits;
  return {
    id: 'test/device',
    maker: 'Test',
    model: 'Device',
    kind: 'meter',
    sources: ['test'],
    protocol: { table: 'holding', order: 'big', maxRegisters, allowedGap, alignment, pauseMs: 0, unit: 1 },
    forbidden: forbidden.map((range) => ({ ...range, why: 'test' })),
    registers,
  };
}

const overlaps = (register: Register, range: { from: number; to: number }) =>
  addressesOf(register).some((address) => address >= range.from && address <= range.to);

/** Profiles as the lint lets them pass: nothing overlaps, nothing forbidden is listed, aligned, groups that fit. */
const profiles = fc
  .record({
    alignment: fc.constantFrom(1, 2),
    limit: fc.integer({ min: 4, max: 30 }),
    allowedGap: fc.integer({ min: 0, max: 12 }),
    steps: fc.array(fc.record({ gap: fc.nat(14), wide: fc.boolean(), input: fc.boolean() }), {
      minLength: 1,
      maxLength: 9,
    }),
    forbidden: fc.array(fc.nat(120), { maxLength: 3 }),
    grouped: fc.nat(8),
  })
  .map(({ alignment, limit, allowedGap, steps, forbidden, grouped }) => {
    const next = { holding: 0, input: 0 };
    const all = steps.map(({ gap, wide, input }): Register => {
      const table = input ? 'input' : 'holding';
      const at = next[table] + gap * alignment;
      const words = wide || alignment === 2 ? 2 : 1;
      next[table] = at + words;
      return { at, table, type: words === 2 ? 'u32' : 'u16', metric: 'ac.power' };
    });
    const ranges = forbidden.map((from) => ({ from, to: from + 1 }));
    const registers = all.filter((register) => !ranges.some((range) => overlaps(register, range)));
    const first = registers[grouped];
    const second = registers[grouped + 1];
    // A group of two neighbours that touch can always be read together.
    if (first && second && first.table === second.table && second.at === Math.max(...addressesOf(first)) + 1)
      for (const register of [first, second]) register.group = 'pair';
    return profileWith(registers, { maxRegisters: limit * alignment, allowedGap, alignment, forbidden: ranges });
  });

/** Why a block may not be asked for; `undefined` where it may. */
function complaint(profile: Profile, block: ReadBlock, listed: readonly Register[]): string | undefined {
  const { maxRegisters, allowedGap, alignment = 1 } = profile.protocol;
  if (block.count > maxRegisters) return 'too long';
  if (block.start % alignment !== 0 || block.count % alignment !== 0) return 'not aligned';
  const known = new Set(
    listed
      .filter((register) => tableOf(profile, register) === block.table)
      .flatMap((register) => addressesOf(register)),
  );
  let gap = 0;
  for (let address = block.start; address < block.start + block.count; address += 1) {
    gap = known.has(address) ? 0 : gap + 1;
    if (gap > allowedGap) return 'gap too wide';
    if (block.table === 'holding' && (profile.forbidden ?? []).some(({ from, to }) => address >= from && address <= to))
      return 'forbidden';
  }
  return undefined;
}

function costOf(blocks: readonly { readonly count: number }[]): number {
  return blocks.reduce((sum, { count }) => sum + COST.perRequest + count * COST.perRegister, 0);
}

/** The cheapest way there is, by trying every partition of the registers into requests. */
function optimum(profile: Profile): number {
  const units = new Map<unknown, Register[]>();
  for (const register of profile.registers) {
    const key = register.group ?? register;
    units.set(key, [...(units.get(key) ?? []), register]);
  }
  const sets = [...units.values()];
  const alignment = profile.protocol.alignment ?? 1;
  const blockOf = (registers: Register[]): ReadBlock | undefined => {
    const tables = new Set(registers.map((register) => tableOf(profile, register)));
    const [table] = tables;
    if (tables.size !== 1 || table === undefined) return undefined;
    const addresses = registers.flatMap((register) => addressesOf(register));
    const start = Math.floor(Math.min(...addresses) / alignment) * alignment;
    const count = Math.ceil((Math.max(...addresses) + 1) / alignment) * alignment - start;
    const block = { table, start, count, registers };
    return complaint(profile, block, profile.registers) === undefined ? block : undefined;
  };
  const search = (rest: Register[][], open: Register[][]): number => {
    const [next, ...others] = rest;
    if (next === undefined) {
      const blocks = open.map(blockOf);
      return blocks.includes(undefined) ? Number.POSITIVE_INFINITY : costOf(blocks as ReadBlock[]);
    }
    const alone = search(others, [...open, next]);
    const joined = open.map((_, index) =>
      search(
        others,
        open.map((block, position) => (position === index ? [...block, ...next] : block)),
      ),
    );
    return Math.min(alone, ...joined);
  };
  return search(sets, []);
}

describe('a read plan', () => {
  test('reads every register exactly once, whole, from its own table', () => {
    fc.assert(
      fc.property(profiles, (profile) => {
        const { blocks, unreadable } = planReads(profile, profile.registers, { cost: COST });
        expect(unreadable).toEqual([]);
        const read = blocks.flatMap((block) => block.registers);
        expect(new Set(read)).toEqual(new Set(profile.registers));
        expect(read.length).toBe(profile.registers.length);
        for (const { table, start, count, registers } of blocks)
          for (const register of registers) {
            expect(tableOf(profile, register)).toBe(table);
            for (const address of addressesOf(register)) {
              expect(address).toBeGreaterThanOrEqual(start);
              expect(address).toBeLessThan(start + count);
            }
          }
      }),
    );
  });

  test('never asks for more than the device allows, nor over a forbidden or too wide gap, nor unaligned', () => {
    fc.assert(
      fc.property(profiles, (profile) => {
        for (const block of planReads(profile, profile.registers, { cost: COST }).blocks)
          expect(complaint(profile, block, profile.registers)).toBeUndefined();
      }),
    );
  });

  test('keeps groups in one request', () => {
    fc.assert(
      fc.property(profiles, (profile) => {
        const { blocks } = planReads(profile, profile.registers, { cost: COST });
        const withGroup = blocks.filter(({ registers }) => registers.some(({ group }) => group !== undefined));
        expect(withGroup.length).toBeLessThanOrEqual(1);
      }),
    );
  });

  test('costs no more than the cheapest there is, by exhaustive search', () => {
    fc.assert(
      fc.property(profiles, (profile) => {
        const { blocks } = planReads(profile, profile.registers, { cost: COST });
        expect(costOf(blocks)).toBeLessThanOrEqual(optimum(profile) * 1.05 + 1e-9);
      }),
      { numRuns: 60 },
    );
  });

  test('joins over a gap only while that is cheaper: up to 18 registers at 9600 baud and 20 ms, 27 at 19200', () => {
    const joined = (gap: number, cost: CostModel) => {
      const registers: Register[] = [0, gap + 1].map((at) => ({ at, type: 'u16', metric: 'ac.power' }));
      const profile = profileWith(registers, { maxRegisters: 125, allowedGap: 124, alignment: 1, forbidden: [] });
      return planReads(profile, registers, { cost }).blocks.length === 1;
    };
    const widest = (baud: number) => {
      const cost = serialCost({ baud, parity: 'none', stopBits: 2 }, 20, 0);
      return Array.from({ length: 120 }, (_, gap) => gap).filter((gap) => joined(gap, cost)).length - 1;
    };
    expect(widest(9600)).toBe(18);
    expect(widest(19_200)).toBe(27);
    expect(joined(100, networkCost(50))).toBe(true);
  });

  test('reads over what the profile lists as if it were no gap, and over nothing that was refused', () => {
    const registers: Register[] = [0, 1, 2].map((at) => ({ at, type: 'u16', metric: 'ac.power' }));
    const profile = profileWith(registers, { maxRegisters: 10, allowedGap: 0, alignment: 1, forbidden: [] });
    const outer = registers.filter(({ at }) => at !== 1);
    const starts = (options: Partial<PlanOptions>) =>
      planReads(profile, outer, { cost: COST, ...options }).blocks.map(({ start, count }) => [start, count]);
    expect(starts({})).toEqual([[0, 3]]);
    expect(starts({ refused: new Set(['holding:1']) })).toEqual([
      [0, 1],
      [2, 1],
    ]);
    expect(starts({ cuts: new Set(['holding:2']) })).toEqual([
      [0, 1],
      [2, 1],
    ]);
  });

  test('of every profile that is shipped fetches all, within the profile’s limits', () => {
    for (const { profile } of loadCatalog().profiles.values()) {
      const { blocks, unreadable } = planReads(profile, profile.registers, { cost: COST });
      expect(unreadable, profile.id).toEqual([]);
      expect(new Set(blocks.flatMap(({ registers }) => registers)).size, profile.id).toBe(profile.registers.length);
      for (const block of blocks) expect(block.count, profile.id).toBeLessThanOrEqual(profile.protocol.maxRegisters);
    }
  });
});
