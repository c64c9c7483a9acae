// What a schema cannot say about a profile. Pure: a profile in, findings out.
import { REQUIRED_METRICS } from '#domain/device-kind.js';
import { metricOf } from '#domain/metric.js';
import {
  addressesOf,
  compareRegisters,
  metricsOf,
  type Placed,
  placedRegisters,
  tableOf,
  wordCountOf,
} from './extent.js';
import { lintDerived } from './lint-derived.js';
import { lintRegister } from './lint-register.js';
import type { Condition, Profile, Register, Table } from './profile.js';
import { didYouMean } from './suggest.js';

/** One thing that is wrong, and where, as a JSON pointer into the file. */
export interface Finding {
  readonly path: string;
  readonly message: string;
}

/** Findings of a profile that has passed the schema, those of each variant included. */
export function lintProfile(profile: Profile): Finding[] {
  const findings = [
    ...lintProtocol(profile),
    ...lintConditions(profile),
    ...lintOrder(profile),
    ...lintVariants(profile),
    ...[undefined, ...(profile.variants ?? []).map(({ name }) => name)].flatMap((variant) => [
      ...lintWhole(profile, variant),
    ]),
  ];
  const seen = new Set<string>();
  return findings.filter(({ path, message }) => {
    const key = `${path} ${message}`;
    return !seen.has(key) && seen.add(key);
  });
}

function lintWhole(profile: Profile, variant: string | undefined): Finding[] {
  const placed = placedRegisters(profile, variant);
  return [
    ...placed.flatMap((one) => lintRegister(profile, one)),
    ...lintPlaces(profile, placed),
    ...lintGroups(profile, placed),
    ...lintUniqueness(placed),
    ...lintScaleFactors(placed),
    ...lintDerived(profile, placed, variant),
    ...lintRequired(profile, variant),
  ];
}

function lintProtocol(profile: Profile): Finding[] {
  const { protocol, sources } = profile;
  const findings: Finding[] = [];
  if (!protocol.serial && protocol.tcpPort === undefined)
    findings.push({ path: '/protocol', message: 'needs "serial", "tcpPort" or both: how is it connected?' });
  if (protocol.alignment !== undefined && protocol.maxRegisters % protocol.alignment !== 0)
    findings.push({ path: '/protocol/maxRegisters', message: `is no multiple of the alignment ${protocol.alignment}` });
  sources.forEach((source, index) => {
    if (source.trim() === '')
      findings.push({ path: `/sources/${index}`, message: 'is empty: where do the facts come from?' });
  });
  (profile.forbidden ?? []).forEach(({ from, to }, index) => {
    if (from > to)
      findings.push({ path: `/forbidden/${index}`, message: `ends at ${to}, before it starts at ${from}` });
  });
  return findings;
}

function lintConditions(profile: Profile): Finding[] {
  const conditions: [string, Condition][] = [
    ...(profile.identify ?? []).map((condition, index): [string, Condition] => [`/identify/${index}`, condition]),
    ...(profile.variants ?? []).map(({ when }, index): [string, Condition] => [`/variants/${index}/when`, when]),
  ];
  return conditions.flatMap(([path, condition]) => {
    const { min, max, at } = condition;
    const findings: Finding[] = [];
    if (min !== undefined && max !== undefined && min > max)
      findings.push({ path, message: `can never hold: min ${min} is above max ${max}` });
    const words = wordCountOf({ type: condition.type ?? 'u16', words: condition.words });
    const reached = Array.from({ length: words }, (_, index) => at + index);
    findings.push(...inForbidden(profile, tableOf(profile, condition), reached, path));
    return findings;
  });
}

function lintOrder(profile: Profile): Finding[] {
  return profile.registers.flatMap((register, index) => {
    const before = profile.registers[index - 1];
    if (!before || compareRegisters(profile, before, register) <= 0) return [];
    return [{ path: `/registers/${index}`, message: `stands after ${before.at}: sort registers by table and address` }];
  });
}

function lintVariants(profile: Profile): Finding[] {
  const variants = profile.variants ?? [];
  const known = new Set([
    ...profile.registers.flatMap(({ metric, name }) => [metric ?? [], name ?? []].flat()),
    ...(profile.derived ?? []).map(({ metric }) => metric),
  ]);
  return variants.flatMap((variant, index) => [
    ...(variants.findIndex(({ name }) => name === variant.name) < index
      ? [{ path: `/variants/${index}/name`, message: `"${variant.name}" is the name of an earlier variant too` }]
      : []),
    ...(variant.without ?? []).flatMap((name, position) =>
      known.has(name)
        ? []
        : [
            {
              path: `/variants/${index}/without/${position}`,
              message: `nothing is called "${name}"${didYouMean(name, known)}`,
            },
          ],
    ),
  ]);
}

function lintPlaces(profile: Profile, placed: readonly Placed[]): Finding[] {
  const taken = new Map<string, Register>();
  return placed.flatMap(({ register, path }) => {
    const table = tableOf(profile, register);
    const findings = inForbidden(profile, table, addressesOf(register), path);
    for (const address of addressesOf(register)) {
      const key = `${table} ${address}`;
      const other = taken.get(key);
      if (other && !shareBits(other, register))
        findings.push({ path, message: `overlaps ${labelOf(other)} at ${table} ${address}` });
      taken.set(key, register);
    }
    return findings;
  });
}

/** Two registers may stand on the same words where each keeps bits that the other drops. */
function shareBits(left: Register, right: Register): boolean {
  if (left.mask === undefined || right.mask === undefined) return false;
  return left.at === right.at && (BigInt(left.mask) & BigInt(right.mask)) === 0n;
}

/** How a message names a register. */
export function labelOf(register: Register): string {
  return `"${register.metric ?? register.name ?? register.at}"`;
}

function inForbidden(profile: Profile, table: Table, addresses: readonly number[], path: string): Finding[] {
  return (profile.forbidden ?? []).flatMap((range) => {
    const hit = addresses.find((address) => address >= range.from && address <= range.to);
    if (hit === undefined || tableOf(profile, range) !== table) return [];
    return [{ path, message: `reads ${hit}, which is forbidden: ${range.why}` }];
  });
}

function lintGroups(profile: Profile, placed: readonly Placed[]): Finding[] {
  const groups = new Map<string, Placed[]>();
  for (const one of placed) {
    const key = one.register.group;
    if (key !== undefined) groups.set(key, [...(groups.get(key) ?? []), one]);
  }
  const listed = new Set(
    placed.flatMap(({ register }) =>
      addressesOf(register).map((address) => `${tableOf(profile, register)} ${address}`),
    ),
  );
  const findings: Finding[] = [];
  for (const [group, members] of groups) {
    const first = members[0];
    if (!first) continue;
    const path = `${first.path}/group`;
    const differ = (pick: (register: Register) => unknown) =>
      members.some(({ register }) => pick(register) !== pick(first.register));
    if (members.length < 2)
      findings.push({ path, message: `"${group}" has one member: a group holds what must not tear` });
    if (differ((register) => tableOf(profile, register)))
      findings.push({ path, message: `"${group}" spans two tables, which no request can` });
    else if (differ((register) => register.poll ?? 'fast'))
      findings.push({ path, message: `"${group}" has members with different "poll"` });
    else findings.push(...lintSpan(profile, members, listed, path, `group "${group}"`));
  }
  for (const one of placed)
    if (one.register.moreWordsAt || one.register.highWordAt !== undefined)
      findings.push(...lintSpan(profile, [one], listed, one.path, labelOf(one.register)));
  return findings;
}

/** Whether registers fit in one request, which may neither be too long nor cross a gap that the device does not allow. */
function lintSpan(
  profile: Profile,
  members: readonly Placed[],
  listed: ReadonlySet<string>,
  path: string,
  what: string,
): Finding[] {
  const table = tableOf(profile, members[0]?.register ?? {});
  const addresses = members.flatMap(({ register }) => addressesOf(register));
  const [from, to] = [Math.min(...addresses), Math.max(...addresses)];
  const { maxRegisters, allowedGap } = profile.protocol;
  const span = to - from + 1;
  if (span > maxRegisters)
    return [
      {
        path,
        message: `${what} spans ${span} registers (${from} to ${to}), more than one request may: ${maxRegisters}`,
      },
    ];
  let gap = 0;
  for (let address = from; address <= to; address += 1) {
    gap = listed.has(`${table} ${address}`) ? 0 : gap + 1;
    if (gap > allowedGap)
      return [
        {
          path,
          message: `${what} cannot be read in one request: unlisted registers up to ${address}, allowed gap ${allowedGap}`,
        },
      ];
  }
  return [];
}

function lintUniqueness(placed: readonly Placed[]): Finding[] {
  const seen = new Map<string, string>();
  return placed.flatMap(({ register, path }) =>
    (['metric', 'name'] as const).flatMap((field) => {
      const value = register[field];
      if (value === undefined) return [];
      const key = `${field} ${value}`;
      const other = seen.get(key);
      seen.set(key, path);
      return other === undefined
        ? []
        : [{ path: `${path}/${field}`, message: `"${value}" is given twice, also by ${other}` }];
    }),
  );
}

function lintScaleFactors(placed: readonly Placed[]): Finding[] {
  const names = new Map(placed.flatMap(({ register }) => (register.name ? [[register.name, register] as const] : [])));
  return placed.flatMap(({ register, path }) => {
    if (register.scaleFrom === undefined) return [];
    const factor = names.get(register.scaleFrom);
    const at = `${path}/scaleFrom`;
    if (!factor)
      return [
        {
          path: at,
          message: `no register is named "${register.scaleFrom}"${didYouMean(register.scaleFrom, names.keys())}`,
        },
      ];
    if (!/^[us](16|32)$/.test(factor.type))
      return [{ path: at, message: `"${register.scaleFrom}" is no integer, so it is no power of ten` }];
    return [];
  });
}

function lintRequired(profile: Profile, variant: string | undefined): Finding[] {
  const offered = new Set(metricsOf(profile, variant));
  const suffix = variant === undefined ? '' : ` in the variant "${variant}"`;
  return REQUIRED_METRICS[profile.kind].flatMap((metric) =>
    offered.has(metric) || metricOf(metric) === undefined
      ? []
      : [{ path: '/kind', message: `a profile of kind "${profile.kind}" must offer "${metric}"${suffix}` }],
  );
}
