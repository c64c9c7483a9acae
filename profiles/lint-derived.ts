// What must hold for metrics that are made of several registers.
import { isNumeric, METRICS, metricOf } from '#domain/metric.js';
import { DEVICE_UNITS, type DeviceUnit } from '#domain/quantity.js';
import type { Placed } from './extent.js';
import type { Finding } from './lint.js';
import { isNumberType } from './lint-register.js';
import type { Derived, Profile, Register } from './profile.js';
import { didYouMean } from './suggest.js';

/** Findings of the derived metrics, against the registers of the profile or of one variant. */
export function lintDerived(profile: Profile, placed: readonly Placed[], variant: string | undefined): Finding[] {
  const without = new Set(profile.variants?.find(({ name }) => name === variant)?.without ?? []);
  const named = new Map<string, Register>();
  for (const { register } of placed) if (register.name !== undefined) named.set(register.name, register);
  const taken = new Map(placed.flatMap(({ register, path }) => (register.metric ? [[register.metric, path]] : [])));
  return (profile.derived ?? []).flatMap((derived, index) => {
    if (without.has(derived.metric)) return [];
    const path = `/derived/${index}`;
    const other = taken.get(derived.metric);
    taken.set(derived.metric, path);
    return [
      ...(other === undefined
        ? []
        : [{ path: `${path}/metric`, message: `"${derived.metric}" is given twice, also by ${other}` }]),
      ...lintMetric(derived, path),
      ...lintParts(derived, path, named),
    ];
  });
}

function lintMetric(derived: Derived, path: string): Finding[] {
  const metric = metricOf(derived.metric);
  if (!metric)
    return [
      {
        path: `${path}/metric`,
        message: `"${derived.metric}" is not in the vocabulary${didYouMean(derived.metric, METRICS.keys())}`,
      },
    ];
  if (!isNumeric(metric.kind)) return [{ path: `${path}/metric`, message: `"${metric.id}" is no number` }];
  return unitsOf(derived).flatMap(([field, unit]) =>
    unit !== undefined && DEVICE_UNITS[unit].unit === metric.unit
      ? []
      : [
          {
            path: `${path}/${field}`,
            message: `${unit ?? 'no unit'} cannot become ${metric.unit}, the unit of "${metric.id}"`,
          },
        ],
  );
}

/** The units that a totaliser says for itself. A sum has those of its parts. */
function unitsOf(derived: Derived): [string, DeviceUnit | undefined][] {
  if ('sumOf' in derived) return [];
  if (derived.unitCode === undefined) return [['unit', derived.unit as DeviceUnit | undefined]];
  const codes = Object.entries(derived.units ?? {});
  return codes.length === 0
    ? [['units', undefined]]
    : codes.map(([code, unit]) => [`units/${code}`, unit as DeviceUnit]);
}

function lintParts(derived: Derived, path: string, named: ReadonlyMap<string, Register>): Finding[] {
  const parts: [string, string][] =
    'sumOf' in derived
      ? derived.sumOf.map((name, index) => [`sumOf/${index}`, name])
      : (['integer', 'fraction', 'exponent', 'unitCode'] as const).flatMap((field) => {
          const name = derived[field];
          return name === undefined ? [] : [[field, name] as [string, string]];
        });
  const metric = metricOf(derived.metric);
  const polls = new Set<string>();
  const findings = parts.flatMap(([field, name]): Finding[] => {
    const register = named.get(name);
    const at = `${path}/${field}`;
    if (!register) return [{ path: at, message: `no register is named "${name}"${didYouMean(name, named.keys())}` }];
    polls.add(register.poll ?? 'fast');
    if (!isNumberType(register.type) && !(field === 'unitCode' && register.type === 'enum'))
      return [{ path: at, message: `"${name}" is a ${register.type}, no number` }];
    if ('sumOf' in derived && metric && DEVICE_UNITS[(register.unit ?? '1') as DeviceUnit].unit !== metric.unit)
      return [
        { path: at, message: `"${name}" has the unit ${register.unit ?? '1'}, which cannot become ${metric.unit}` },
      ];
    return [];
  });
  if (polls.size > 1)
    findings.push({
      path,
      message: `"${derived.metric}" needs registers that are read together: give them the same "poll"`,
    });
  if (metric?.kind === 'counter' && polls.has('rare'))
    findings.push({
      path,
      message: `"${derived.metric}" is a counter: read its registers at least each minute ("slow")`,
    });
  return findings;
}
