// The vocabulary: every metric with its unit, its kind and, where it can be negative, what positive means.
// Signs, once: power is positive when it flows into the post's bus (PV, genset, grid import, battery discharge);
// a load is positive in its own metric. So pv + genset + grid + battery = load.
import type { Unit } from './quantity.js';

/** `counter` only rises (but for rollover and reset) and is rolled up by its increase; `gauge` by mean and extremes. */
export type MetricKind = 'gauge' | 'counter' | 'state' | 'text';

export interface Metric {
  readonly id: string;
  readonly kind: MetricKind;
  /** Absent for states and texts. */
  readonly unit?: Unit;
  /** What a positive value means, where negative ones exist. */
  readonly positive?: string;
  /** Values outside are physically impossible, whatever the device says. */
  readonly range?: readonly [number, number];
}

type Options = Pick<Metric, 'positive' | 'range'>;

const gauge = (unit: Unit, options: Options = {}): Omit<Metric, 'id'> => ({ kind: 'gauge', unit, ...options });
const counter = (unit: Unit): Omit<Metric, 'id'> => ({ kind: 'counter', unit });
const state: Omit<Metric, 'id'> = { kind: 'state' };
const text: Omit<Metric, 'id'> = { kind: 'text' };

const intoBus = { positive: 'flows into the post’s bus' };
const percent = gauge('%', { range: [0, 100] });
const temperature = gauge('°C', { range: [-90, 250] });
const frequency = gauge('Hz', { range: [0, 500] });

type Definitions = Record<string, Omit<Metric, 'id'>>;

function phases(prefix: string, definitions: Definitions): Definitions {
  const result: Definitions = {};
  for (const phase of ['l1', 'l2', 'l3'])
    for (const [name, definition] of Object.entries(definitions)) result[`${prefix}.${phase}.${name}`] = definition;
  return result;
}

function strings(count: number): Definitions {
  const result: Definitions = {};
  for (let index = 1; index <= count; index += 1) {
    result[`pv${index}.power`] = gauge('W');
    result[`pv${index}.voltage`] = gauge('V');
    result[`pv${index}.current`] = gauge('A');
  }
  return result;
}

const definitions: Definitions = {
  // AC terminals of an inverter or of a meter without a role.
  'ac.power': gauge('W', { positive: 'as the role of the device says' }),
  'ac.reactivePower': gauge('var', { positive: 'inductive' }),
  'ac.apparentPower': gauge('VA'),
  'ac.powerFactor': gauge('1', { range: [-1, 1], positive: 'import' }),
  'ac.frequency': frequency,
  'ac.current': gauge('A'),
  'ac.voltage': gauge('V'),
  'ac.energyImport': counter('Wh'),
  'ac.energyExport': counter('Wh'),
  ...phases('ac', {
    voltage: gauge('V'),
    current: gauge('A'),
    power: gauge('W', { positive: 'as the role of the device says' }),
    reactivePower: gauge('var', { positive: 'inductive' }),
    apparentPower: gauge('VA'),
    powerFactor: gauge('1', { range: [-1, 1], positive: 'import' }),
    energyImport: counter('Wh'),
    energyExport: counter('Wh'),
  }),

  'pv.power': gauge('W'),
  'pv.energy': counter('Wh'),
  'pv.energyToday': gauge('Wh'),
  ...strings(4),

  'battery.soc': percent,
  'battery.soh': percent,
  'battery.voltage': gauge('V'),
  'battery.current': gauge('A', { positive: 'discharging' }),
  'battery.power': gauge('W', { positive: 'discharging' }),
  'battery.temperature': temperature,
  'battery.chargeEnergy': counter('Wh'),
  'battery.dischargeEnergy': counter('Wh'),
  'battery.chargeEnergyToday': gauge('Wh'),
  'battery.dischargeEnergyToday': gauge('Wh'),
  'battery.chargeCurrentLimit': gauge('A'),
  'battery.dischargeCurrentLimit': gauge('A'),
  'battery.chargeVoltageLimit': gauge('V'),
  'battery.consumedCharge': gauge('Ah'),
  'battery.cellVoltageMin': gauge('V'),
  'battery.cellVoltageMax': gauge('V'),
  'battery.temperatureMin': temperature,
  'battery.temperatureMax': temperature,
  'battery.cycles': counter('1'),
  'battery.timeToGo': gauge('s'),
  'battery.state': state,
  'battery.faults': state,
  'battery2.soc': percent,
  'battery2.voltage': gauge('V'),
  'battery2.current': gauge('A', { positive: 'discharging' }),
  'battery2.power': gauge('W', { positive: 'discharging' }),

  // The battery as its own management system reports it, where an inverter passes that on.
  'bms.soc': percent,
  'bms.voltage': gauge('V'),
  'bms.current': gauge('A', { positive: 'discharging' }),
  'bms.temperature': temperature,
  'bms.alarms': state,

  'grid.power': gauge('W', intoBus),
  'grid.frequency': frequency,
  'grid.energyImport': counter('Wh'),
  'grid.energyExport': counter('Wh'),
  'grid.energyImportToday': gauge('Wh'),
  'grid.energyExportToday': gauge('Wh'),
  'grid.outerPower': gauge('W', intoBus),
  'grid.innerPower': gauge('W', intoBus),
  ...phases('grid', {
    voltage: gauge('V'),
    current: gauge('A'),
    power: gauge('W', intoBus),
    outerPower: gauge('W', intoBus),
    innerPower: gauge('W', intoBus),
    outerCurrent: gauge('A'),
  }),

  'load.power': gauge('W'),
  'load.frequency': frequency,
  'load.energy': counter('Wh'),
  'load.energyToday': gauge('Wh'),
  'load.backupPower': gauge('W'),
  ...phases('load', { voltage: gauge('V'), current: gauge('A'), power: gauge('W'), backupPower: gauge('W') }),

  'genset.power': gauge('W', intoBus),
  'genset.energy': counter('Wh'),
  'genset.energyToday': gauge('Wh'),
  'genset.frequency': frequency,
  'genset.runtime': counter('s'),
  'genset.starts': counter('1'),
  'genset.fuelLevel': percent,
  'genset.coolantTemperature': temperature,
  'genset.oilPressure': gauge('kPa'),
  'genset.starterVoltage': gauge('V'),
  'genset.state': state,
  'genset.faults': state,
  ...phases('genset', { voltage: gauge('V'), current: gauge('A'), power: gauge('W', intoBus) }),

  'inverter.state': state,
  'inverter.faults': state,
  'inverter.warnings': state,
  'inverter.relays': state,
  'inverter.ioMode': state,
  'inverter.type': state,
  'inverter.temperature': temperature,
  'inverter.dcTemperature': temperature,
  'inverter.energy': counter('Wh'),
  'inverter.energyToday': gauge('Wh'),
  'inverter.ratedPower': gauge('W'),
  'inverter.acSource': state,

  'water.flow': gauge('m³/h', { positive: 'forward' }),
  'water.volume': counter('m³'),
  'water.volumeReverse': counter('m³'),
  'water.volumeNet': gauge('m³', { positive: 'forward' }),
  'water.velocity': gauge('m/s', { positive: 'forward' }),
  'water.temperature': temperature,
  'water.signalQuality': percent,
  'water.signalStrengthUp': gauge('1'),
  'water.signalStrengthDown': gauge('1'),
  'water.transitTimeRatio': gauge('%'),
  'water.faults': state,

  'tank.level': gauge('m'),
  'tank.fill': percent,
  'tank.volume': gauge('m³'),
  'tank.temperature': temperature,
  'tank.floatFull': state,

  'pump.power': gauge('W'),
  'pump.powerShare': gauge('%'),
  'pump.energy': counter('Wh'),
  'pump.frequency': frequency,
  'pump.frequencySetpoint': frequency,
  'pump.speed': gauge('1/min'),
  'pump.current': gauge('A'),
  'pump.torqueShare': gauge('%'),
  'pump.motorVoltage': gauge('V'),
  'pump.dcVoltage': gauge('V'),
  'pump.head': gauge('m'),
  'pump.outletPressure': gauge('kPa'),
  'pump.flowEstimate': gauge('m³/h'),
  'pump.volumeEstimate': counter('m³'),
  'pump.motorTemperature': temperature,
  'pump.electronicsTemperature': temperature,
  'pump.runtime': counter('s'),
  'pump.poweredTime': counter('s'),
  'pump.starts': counter('1'),
  'pump.state': state,
  'pump.mode': state,
  'pump.controlMode': state,
  'pump.faults': state,
  'pump.warnings': state,

  'weather.airTemperature': temperature,
  'weather.irradiance': gauge('W/m²', { range: [-50, 1800] }),
  'weather.windSpeed': gauge('m/s'),
  'weather.pipeTemperature': temperature,

  'device.serial': text,
  'device.firmware': text,
  'device.model': text,
  'device.clock': text,
  'device.uptime': counter('s'),

  // The gateway's own health.
  'gateway.uptime': counter('s'),
  'gateway.memory': gauge('1'),
  'gateway.clockQuality': state,
  'gateway.outboxRecords': gauge('1'),
  'gateway.outboxBytes': gauge('1'),
  'gateway.outboxFill': percent,
  'gateway.outboxCapacity': gauge('s'),
  'gateway.recordsExpired': counter('1'),
  'gateway.samplesExpired': counter('1'),
  'gateway.recordsAggregated': counter('1'),
  'gateway.samplesAggregated': counter('1'),
  'gateway.recordsRefused': counter('1'),
  'gateway.recordsReplayed': counter('1'),
  'gateway.bytesSent': counter('1'),
  'gateway.budgetUsed': gauge('%'),
  'gateway.connects': counter('1'),
  // The gateway's record of each device: what was asked for and what came.
  'poll.expected': counter('1'),
  'poll.good': counter('1'),
  'poll.timeouts': counter('1'),
  'poll.exceptions': counter('1'),
  'poll.garbled': counter('1'),
  'poll.latency': gauge('s'),
  'poll.state': state,
};

/** Every metric by its id. */
export const METRICS: ReadonlyMap<string, Metric> = new Map(
  Object.entries(definitions).map(([id, definition]) => [id, { id, ...definition }]),
);

/** The metric of this id; `undefined` for one that the vocabulary does not know. */
export function metricOf(id: string): Metric | undefined {
  return METRICS.get(id);
}

/** True for metrics whose values are numbers. */
export function isNumeric(kind: MetricKind): boolean {
  return kind === 'gauge' || kind === 'counter';
}
