// What a device's own faults make of what it measures.
import { metricOf } from '#domain/metric.js';
import { DEVICE_UNITS } from '#domain/quantity.js';
import { placedRegisters, wordCountOf } from '#profiles/extent.js';
import type { Profile } from '#profiles/profile.js';
import type { DeviceFault } from '../fault/device-fault.js';
import { grownFactor } from '../fault/fault-kind.js';
import type { MetricValue } from './encoder.js';
import type { Quantities } from './quantities.js';

/** A fault of a device that stands, with what the device measured when it began. */
export interface Spoiler {
  readonly fault: DeviceFault;
  /** 0 to 1. */
  readonly grown: number;
  readonly then: Quantities;
}

/** These go on in a device whose values are frozen. */
const ALIVE: readonly string[] = ['device.clock', 'device.uptime'];
const SIGNED = /^(ac|grid|genset|load|pv)(\.l\d)?\.(power|reactivePower|powerFactor|innerPower|outerPower)$/;
const COUNTED = /^(.*)energy(Import|Export)$/;

/** What the device shows of a metric. `undefined` where it knows nothing of it. */
export function spoil(
  profile: Profile,
  metric: string,
  now: Quantities,
  spoilers: readonly Spoiler[],
): MetricValue | undefined {
  let value = now[metric];
  for (const spoiler of spoilers) value = spoilOnce(profile, metric, value, now, spoiler);
  return value;
}

function spoilOnce(
  profile: Profile,
  metric: string,
  value: MetricValue | undefined,
  now: Quantities,
  { fault, grown, then }: Spoiler,
): MetricValue | undefined {
  switch (fault.kind) {
    case 'frozen':
      return ALIVE.includes(metric) ? value : then[metric];
    case 'noValue':
      return concerns(fault.metrics, metric) ? null : value;
    case 'counterReset':
      return counterFrom(metric, value, then, 0);
    case 'rollover':
      return counterFrom(metric, value, then, wrapOf(profile, metric), fault.headroom);
    case 'unitChange':
      return typeof value === 'number' && concerns(fault.metrics, metric) ? value * fault.factor : value;
    case 'drift':
      if (typeof value !== 'number' || !fault.metrics.includes(metric)) return value;
      return value * grownFactor(fault.factor ?? 1, grown) + (fault.offset ?? 0) * grown;
    case 'reversedCt':
      return reversed(metric, value, now, then);
    case 'clockWrong':
      return metric === 'device.clock' && typeof value === 'string' ? shifted(value, fault.seconds) : value;
    default:
      return value;
  }
}

function concerns(metrics: readonly string[] | undefined, metric: string): boolean {
  return metrics === undefined || metrics.includes(metric);
}

/** A counter that stood somewhere else when the fault began, and goes on from there. */
function counterFrom(
  metric: string,
  value: MetricValue | undefined,
  then: Quantities,
  end: number | undefined,
  headroom = 0,
): MetricValue | undefined {
  const before = then[metric];
  if (typeof value !== 'number' || typeof before !== 'number' || metricOf(metric)?.kind !== 'counter') return value;
  return end === undefined ? value : value - before + end - headroom;
}

/** Where a metric's counter starts again from zero, in the product's unit; `undefined` where it never does. */
export function wrapOf(profile: Profile, metric: string): number | undefined {
  const register = placedRegisters(profile).find((one) => one.register.metric === metric)?.register;
  if (register === undefined || register.type === 'f32' || register.type === 'f64') return undefined;
  const unit = register.unit === undefined ? undefined : DEVICE_UNITS[register.unit as keyof typeof DEVICE_UNITS];
  const inDeviceUnit = register.modulus ?? 2 ** (16 * wordCountOf(register)) * (register.scale ?? 1);
  return unit === undefined ? inDeviceUnit : (inDeviceUnit * unit.numerator) / unit.denominator;
}

/** Power the other way round; what would have been counted as import is counted as export. */
function reversed(
  metric: string,
  value: MetricValue | undefined,
  now: Quantities,
  then: Quantities,
): MetricValue | undefined {
  if (typeof value !== 'number') return value;
  if (SIGNED.test(metric)) return -value;
  const counted = COUNTED.exec(metric);
  if (counted === null) return value;
  const other = `${counted[1]}energy${counted[2] === 'Import' ? 'Export' : 'Import'}`;
  const [before, otherNow, otherBefore] = [then[metric], now[other], then[other]];
  if (typeof before !== 'number' || typeof otherNow !== 'number' || typeof otherBefore !== 'number') return value;
  return before + otherNow - otherBefore;
}

function shifted(clock: string, seconds: number): string {
  const at = Date.parse(`${clock}Z`) + seconds * 1000;
  // The devices' clocks count years from 2000 on.
  return new Date(Math.max(Date.UTC(2000, 0, 1), at)).toISOString().slice(0, 19);
}
