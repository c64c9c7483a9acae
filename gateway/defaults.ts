// What a metric's exception rule is where the post's configuration says nothing. Data, with the reason beside each number.
// Absolute values, in the metric's unit: a share of the value would go to nothing at standstill and record its noise.
import type { DeviceKind } from '#domain/device-kind.js';
import type { Metric } from '#domain/metric.js';

export interface WatchLimits {
  readonly low?: number;
  readonly high?: number;
}

/**
 * Longest time without a sample. 5 minutes puts three samples into each 15-minute rollup while nothing moves, and costs
 * 60 steady metrics about 1.3 MB a month on the wire.
 */
export const HEARTBEAT_MS = 300_000;

/** Texts (serial numbers, firmware) change once in years. */
export const TEXT_HEARTBEAT_MS = 6 * 3_600_000;

/** Poll class → least time between two polls of it. `fast` follows the device's own period. */
export const POLL_CLASS_MS = { fast: 0, slow: 60_000, rare: 3_600_000 } as const;

/**
 * How often the counts of polls, time-outs and the like are told. They say how much of a quarter of an hour was measured, and
 * are counters: nothing falls between two looks. Six of them per device each minute would cost more than what they watch.
 */
export const POLL_COUNTS_MS = 300_000;

/** First match by metric id wins; then the unit decides. */
const DEADBANDS_BY_METRIC: readonly (readonly [RegExp, number])[] = [
  // Most batteries report whole percents: half of one records each step and no jitter of finer ones.
  [/^(battery2?|bms)\.so[ch]$/, 0.5],
  // A 48 V LFP bank spans 4 V between 20 % and 80 %: 0.1 V is the last step that means anything.
  [/^(battery2?|bms)\.voltage$/, 0.1],
  [/^battery\.chargeVoltageLimit$/, 0.1],
  // Cells of a good pack differ by some ten millivolts; a weak one shows by more.
  [/^battery\.cellVoltage/, 0.01],
  [/^(battery2?|bms)\.current$/, 1],
  // A starter battery says its state within a volt.
  [/^genset\.starterVoltage$/, 0.1],
  // Strings and DC links of 100 to 800 V ripple by volts.
  [/^(pv\d|pump\.dc|pump\.motor)\.?[vV]oltage$/, 5],
  // Dry run is told from load by some ten per cent of 0.75 to 4 kW.
  [/^pump\.power$/, 25],
  // Energies of the day move all day long; the total counters are the account.
  [/Today$/, 100],
  // Motors: dry run, ice and closed valves show in tenths of hertz only with everything else; 0.3 Hz is half a per cent.
  [/^pump\.frequency(Setpoint)?$/, 0.3],
  [/^pump\.speed$/, 20],
  [/^poll\.latency$/, 0.5],
  [/\.powerFactor$/, 0.02],
  [/^weather\.windSpeed$/, 1],
  // Ultrasonic meters work from a quality of 60 of 99 on, and from a strength of 60 of 100; both jitter by some units, and
  // fouling takes weeks.
  [/^water\.signal(Strength|Quality)/, 5],
  [/^gateway\.memory$/, 5_000_000],
  [/^gateway\.outboxRecords$/, 1000],
  // A thousandth of the shipped 1 GB; the fill in per cent is told beside it.
  [/^gateway\.outboxBytes$/, 1_000_000],
  // Weeks; it is told to people in days.
  [/^gateway\.outboxCapacity$/, 43_200],
  [/^water\.velocity$/, 0.02],
  [/^battery\.timeToGo$/, 600],
];

const DEADBANDS_BY_UNIT: Readonly<Record<string, number>> = {
  // 1 % of a 5 kW post; flicker of single lamps is below.
  W: 50,
  VA: 50,
  var: 50,
  Wh: 100,
  // Half a per cent of 230 V: what supply standards call a rapid change is six times that.
  V: 1.2,
  A: 0.5,
  // Island frequency control shows from 0.05 Hz on.
  Hz: 0.05,
  '%': 0.5,
  '°C': 0.5,
  'm³': 0.02,
  // Leaks at night are some 0.1 m³/h.
  'm³/h': 0.05,
  m: 0.01,
  kPa: 2,
  'W/m²': 20,
  s: 60,
};

/** Deadband of a gauge; `undefined` for other kinds and for pure numbers that nobody has thought about. */
export function defaultDeadbandOf(metric: Metric): number | undefined {
  if (metric.kind !== 'gauge') return undefined;
  const byMetric = DEADBANDS_BY_METRIC.find(([pattern]) => pattern.test(metric.id));
  return byMetric?.[1] ?? DEADBANDS_BY_UNIT[metric.unit ?? ''];
}

/** Limits whose crossing is told at once: where a person or a rule acts within minutes. */
const WATCH: Readonly<Partial<Record<DeviceKind, Readonly<Record<string, WatchLimits>>>>> = {
  // The usual limit "SoC low" of a lithium bank; cold below which it must not be charged, heat above which it ages.
  battery: { 'battery.soc': { low: 30 }, 'battery.temperature': { low: 0, high: 45 } },
  inverter: {
    'battery.soc': { low: 30 },
    'battery.temperature': { low: 0, high: 45 },
    // Where island inverters part from the generator or the grid.
    'load.frequency': { low: 47, high: 53 },
  },
  genset: { 'genset.fuelLevel': { low: 20 }, 'genset.coolantTemperature': { high: 100 } },
  // A quarter is one winter day of water; 95 % is where a float should have stopped the pump.
  tank: { 'tank.fill': { low: 25, high: 95 } },
};

export function defaultWatchOf(kind: DeviceKind, metric: string): WatchLimits | undefined {
  return WATCH[kind]?.[metric];
}
