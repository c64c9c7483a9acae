// Which requests fetch the registers that are due. Pure: a profile and registers in, requests out.
import { tableOf } from '#profiles/extent.js';
import type { Profile, Register, Table } from '#profiles/profile.js';
import type { SerialLine } from '../config.js';
import { addressStepOf, wordAddressesOf } from '../decode/word-image.js';

/** One request. `start` is as it goes on the wire. */
export interface ReadBlock {
  readonly table: Table;
  readonly start: number;
  readonly count: number;
  readonly registers: readonly Register[];
}

/** What requests cost, in any one measure of time. */
export interface CostModel {
  readonly perRequest: number;
  readonly perRegister: number;
}

export interface PlanOptions {
  readonly cost: CostModel;
  /** Fewer than the profile's `maxRegisters`, where the device has shown that it cannot do so many. */
  readonly maxRegisters?: number;
  /** Wire addresses that the device has refused: requests do not reach over them. `table:address`. */
  readonly refused?: ReadonlySet<string>;
  /** Addresses at which a request must not start earlier and go on: `table:address`. */
  readonly cuts?: ReadonlySet<string>;
  /** All that the profile lists, where `registers` are only a part: reading over these is no gap. */
  readonly listed?: readonly Register[];
}

export interface ReadPlan {
  readonly blocks: readonly ReadBlock[];
  /** Registers that no allowed request can fetch. A profile that has passed the lint has none. */
  readonly unreadable: readonly Register[];
}

/**
 * The cost of requests on a serial line: t = (13 + 2N) characters + two gaps of 3.5 + the slave's turnaround. Joining over k
 * unused registers costs 2k characters and saves the rest.
 */
export function serialCost(line: SerialLine, turnaroundMs: number, pauseMs: number): CostModel {
  const bits = 1 + 8 + (line.parity === 'none' ? 0 : 1) + line.stopBits;
  const characterMs = (bits * 1000) / line.baud;
  const gapMs = line.baud > 19_200 ? 1.75 : 3.5 * characterMs;
  return { perRequest: 13 * characterMs + 2 * gapMs + Math.max(turnaroundMs, pauseMs), perRegister: 2 * characterMs };
}

/** On a network bytes are nearly free and turns are not; behind a converter there may be a serial line all the same. */
export function networkCost(pauseMs: number): CostModel {
  return { perRequest: 10 + pauseMs, perRegister: 0.2 };
}

/** What must be read in one request, in units of words: [from, to], both included. */
interface Bundle {
  readonly table: Table;
  readonly from: number;
  readonly to: number;
  readonly registers: readonly Register[];
}

/**
 * Plans the requests for these registers: each in one request of its own table, groups and the words of one register kept
 * together, within the profile's limits, and the cheapest such set in the order of addresses.
 */
export function planReads(profile: Profile, registers: readonly Register[], options: PlanOptions): ReadPlan {
  const blocks: ReadBlock[] = [];
  const unreadable: Register[] = [];
  const bundles = bundlesOf(profile, registers);
  const terrain = terrainOf(profile, options);
  for (const table of new Set(bundles.map((bundle) => bundle.table))) {
    const own = bundles.filter((bundle) => bundle.table === table).sort((a, b) => a.from - b.from || a.to - b.to);
    const readable = own.filter((bundle) => spanOver(terrain, [bundle], profile.protocol.maxRegisters) !== undefined);
    unreadable.push(...own.filter((bundle) => !readable.includes(bundle)).flatMap((bundle) => bundle.registers));
    blocks.push(...cheapest(readable, terrain, options).map((span) => blockOf(profile, table, span)));
  }
  return { blocks, unreadable };
}

/** Registers that are only good together: a group, or a single one with all its words. */
export function bundlesOf(profile: Profile, registers: readonly Register[]): Bundle[] {
  const step = addressStepOf(profile);
  const sets = new Map<unknown, Register[]>();
  for (const register of registers) {
    const key = register.group === undefined ? register : `${tableOf(profile, register)} ${register.group}`;
    sets.set(key, [...(sets.get(key) ?? []), register]);
  }
  return [...sets.values()].flatMap((set): Bundle[] => {
    const addresses = set.flatMap((register) => {
      const { own, high } = wordAddressesOf(profile, register);
      return high === undefined ? own : [...own, high];
    });
    const first = set[0];
    if (first === undefined) return [];
    return [
      {
        table: tableOf(profile, first),
        from: Math.min(...addresses) / step,
        to: Math.max(...addresses) / step,
        registers: set,
      },
    ];
  });
}

/** What may be read over, in units of words. */
interface Terrain {
  readonly step: 1 | 2;
  readonly alignment: number;
  readonly allowedGap: number;
  readonly limit: number;
  isListed(table: Table, word: number): boolean;
  isBarred(table: Table, word: number): boolean;
  isCut(table: Table, word: number): boolean;
}

function terrainOf(profile: Profile, options: PlanOptions): Terrain {
  const step = addressStepOf(profile);
  const listed = new Set<string>();
  for (const register of options.listed ?? profile.registers) {
    const { own, high } = wordAddressesOf(profile, register);
    for (const address of high === undefined ? own : [...own, high])
      listed.add(`${tableOf(profile, register)}:${address}`);
  }
  const forbidden = profile.forbidden ?? [];
  return {
    step,
    alignment: profile.protocol.alignment ?? 1,
    allowedGap: profile.protocol.allowedGap,
    limit: Math.min(profile.protocol.maxRegisters, options.maxRegisters ?? profile.protocol.maxRegisters),
    isListed: (table, word) => listed.has(`${table}:${word * step}`),
    isBarred: (table, word) =>
      options.refused?.has(`${table}:${word * step}`) === true ||
      forbidden.some(
        (range) => tableOf(profile, range) === table && word * step >= range.from && word * step <= range.to,
      ),
    isCut: (table, word) => options.cuts?.has(`${table}:${word * step}`) === true,
  };
}

interface Span {
  readonly from: number;
  readonly count: number;
  readonly bundles: readonly Bundle[];
}

/** The span over these bundles, aligned; `undefined` where no single request may read it. */
function spanOver(terrain: Terrain, bundles: readonly Bundle[], limit: number): Span | undefined {
  const low = bundles[0];
  if (low === undefined) return undefined;
  const align = terrain.alignment;
  const from = Math.floor(low.from / align) * align;
  const end = Math.ceil((Math.max(...bundles.map(({ to }) => to)) + 1) / align) * align;
  if (end - from > limit || (end - 1) * terrain.step > 65_535) return undefined;
  let gap = 0;
  for (let word = from; word < end; word += 1) {
    gap = terrain.isListed(low.table, word) ? 0 : gap + 1;
    if (gap > terrain.allowedGap || terrain.isBarred(low.table, word)) return undefined;
  }
  // A cut between two bundles parts them; inside one it does not.
  if (bundles.some((bundle, index) => index > 0 && terrain.isCut(bundle.table, bundle.from))) return undefined;
  return { from, count: end - from, bundles };
}

/** Dynamic programming over the bundles in order: the cheapest way to fetch the first n, for each n. */
function cheapest(bundles: readonly Bundle[], terrain: Terrain, options: PlanOptions): Span[] {
  const best: { readonly cost: number; readonly last?: Span; readonly before: number }[] = [{ cost: 0, before: 0 }];
  for (let end = 1; end <= bundles.length; end += 1) {
    let choice = { cost: Number.POSITIVE_INFINITY, before: end - 1 } as (typeof best)[number];
    for (let start = end - 1; start >= 0; start -= 1) {
      const near = bundles[end - 1];
      const far = bundles[start];
      if (near === undefined || far === undefined || near.from - far.from >= terrain.limit) break;
      const span = spanOf(terrain, bundles.slice(start, end));
      const before = best[start]?.cost ?? Number.POSITIVE_INFINITY;
      if (span === undefined) continue;
      const cost = before + options.cost.perRequest + span.count * options.cost.perRegister;
      if (cost < choice.cost) choice = { cost, last: span, before: start };
    }
    best.push(choice);
  }
  const spans: Span[] = [];
  for (let end = bundles.length; end > 0; ) {
    const { last, before } = best[end] ?? { before: 0 };
    if (last !== undefined) spans.unshift(last);
    end = before;
  }
  return spans;
}

/** A bundle that alone is longer than a learnt limit is still read, in the one request that it needs. */
function spanOf(terrain: Terrain, bundles: readonly Bundle[]): Span | undefined {
  return spanOver(terrain, bundles, bundles.length === 1 ? Number.POSITIVE_INFINITY : terrain.limit);
}

function blockOf(profile: Profile, table: Table, span: Span): ReadBlock {
  const step = addressStepOf(profile);
  return {
    table,
    start: span.from * step,
    count: span.count,
    registers: span.bundles.flatMap((bundle) => bundle.registers),
  };
}
