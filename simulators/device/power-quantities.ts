// PV, battery, grid, genset, load and inverter, as inverters, chargers, battery monitors and genset controllers show them.
import { type BatteryAlarm, cellVoltages, healthOf, shownSocOf } from '../world/battery.js';
import { CHEMISTRIES } from '../world/battery-chemistry.js';
import { type GensetFault, type GensetPhase, isTurning } from '../world/genset.js';
import type { InverterFault } from '../world/inverter.js';
import type { PostState } from '../world/post.js';
import type { PostSpec } from '../world/post-spec.js';
import type { MetricValue } from './encoder.js';

type Values = Record<string, MetricValue>;

/** Every electrical quantity of the post but those of the pump. */
export function powerQuantities(spec: PostSpec, state: PostState): Values {
  return {
    ...pvValues(spec, state),
    ...batteryValues(spec, state),
    ...sourceValues(spec, state),
    ...gensetValues(spec, state),
    ...loadValues(spec, state),
    ...inverterValues(spec, state),
  };
}

function pvValues(spec: PostSpec, state: PostState): Values {
  const { pvW } = state.inverter.dispatch;
  const values: Values = {
    'pv.power': pvW,
    'pv.energy': state.counters.total.pv,
    'pv.energyToday': state.counters.today.pv,
  };
  const lit = state.sunlight.onArray > 5;
  // The voltage falls with warmth, and rises towards open circuit where the sun is not all used.
  const unused = state.pvAvailableW > 1 ? 1 - pvW / state.pvAvailableW : 0;
  const warmth = 1 - 0.003 * (state.weather.airC + 0.03 * state.sunlight.onArray - 25);
  for (let index = 0; index < 4; index += 1) {
    const couldW = state.stringsW[index] ?? 0;
    const powerW = state.pvAvailableW > 0 ? (pvW * couldW) / state.pvAvailableW : 0;
    const volts = lit && couldW > 0 ? spec.pv.stringVoltageV * warmth * (1 + 0.18 * unused) : 0;
    values[`pv${index + 1}.power`] = powerW;
    values[`pv${index + 1}.voltage`] = volts;
    values[`pv${index + 1}.current`] = volts > 0 ? powerW / volts : 0;
  }
  return values;
}

/** An alarm of the pack in the words of those who pass it on: an inverter's BMS port, a management system of its own. */
const BATTERY_CODES: Readonly<Record<BatteryAlarm, readonly string[]>> = {
  none: [],
  cold: ['B03', 'chargeColdCritical'],
  hot: ['B02', 'chargeHotCritical'],
  cellLow: ['B01', 'cellLowCritical'],
  tripped: ['B00', 'innerTalk'],
};

function batteryValues(spec: PostSpec, state: PostState): Values {
  const { battery, counters } = state;
  const soc = shownSocOf(battery);
  const { limits } = battery;
  const cells = cellVoltages(spec.battery, battery);
  const chemistry = CHEMISTRIES[spec.battery.chemistry];
  const temperature = battery.sensorOpen ? null : battery.temperatureC;
  const capacityAh = battery.capacityWh / ((spec.battery.chemistry === 'lfp' ? 3.2 : 2) * spec.battery.cells);
  const usableWh = Math.max(0, battery.energyWh - (battery.capacityWh * spec.battery.minSoc) / 100);
  const warns = soc < 20 || limits.alarm !== 'none';
  const trouble = limits.alarm === 'hot' || limits.alarm === 'tripped' || soc < 10;
  const flow = battery.powerW > 5 ? 'discharging' : battery.powerW < -5 ? 'charging' : 'idle';
  return {
    'battery.soc': soc,
    'battery.soh': healthOf(spec.battery, battery),
    'battery.voltage': battery.voltageV,
    'battery.current': battery.currentA,
    'battery.power': battery.powerW,
    'battery.temperature': temperature,
    'battery.chargeEnergy': counters.total.charge,
    'battery.dischargeEnergy': counters.total.discharge,
    'battery.chargeEnergyToday': counters.today.charge,
    'battery.dischargeEnergyToday': counters.today.discharge,
    'battery.chargeCurrentLimit': limits.chargeA,
    'battery.dischargeCurrentLimit': limits.dischargeA,
    'battery.chargeVoltageLimit': (chemistry.mostV - 0.1) * spec.battery.cells,
    'battery.cellVoltageMin': cells.leastV,
    'battery.cellVoltageMax': cells.mostV,
    'battery.temperatureMin': temperature === null ? null : temperature - 1,
    'battery.temperatureMax': temperature === null ? null : temperature + 1,
    'battery.cycles': counters.total.discharge / spec.battery.capacityWh,
    'battery.consumedCharge': -(capacityAh * (100 - soc)) / 100,
    'battery.timeToGo': battery.powerW > 50 ? (usableWh / battery.powerW) * 3600 : null,
    'battery.state': flow,
    'battery.faults': [...BATTERY_CODES[limits.alarm], ...(trouble ? ['alarm'] : warns ? ['warning'] : []), 'none'],
    'battery2.soc': null,
    'battery2.voltage': null,
    'battery2.current': 0,
    'battery2.power': 0,
    'bms.soc': soc,
    'bms.voltage': battery.voltageV,
    'bms.current': battery.currentA,
    'bms.temperature': temperature,
    'bms.alarms': [...BATTERY_CODES[limits.alarm], 'none'],
  };
}

/** The grid's terminals: dead where there is none. */
function sourceValues(spec: PostSpec, state: PostState): Values {
  const { gridW } = state.inverter.dispatch;
  const { total, today } = state.counters;
  const alive = spec.grid.maxW > 0;
  const values: Values = {
    'grid.power': gridW,
    'grid.innerPower': gridW,
    'grid.outerPower': gridW,
    'grid.frequency': alive ? spec.inverter.frequencyHz + 0.02 * state.inverter.drift[3] : 0,
    'grid.energyImport': total.gridImport,
    'grid.energyExport': 0,
    'grid.energyImportToday': today.gridImport,
    'grid.energyExportToday': 0,
  };
  for (const [index, share] of spec.load.phaseShares.entries()) {
    const phase = `grid.l${index + 1}`;
    const volts = alive ? spec.inverter.voltageV - 4 + 2 * (state.inverter.drift[index] ?? 0) : 0;
    const amps = volts > 0 ? (gridW * share) / volts : 0;
    values[`${phase}.voltage`] = volts;
    values[`${phase}.current`] = amps;
    values[`${phase}.outerCurrent`] = amps;
    values[`${phase}.power`] = gridW * share;
    values[`${phase}.innerPower`] = gridW * share;
    values[`${phase}.outerPower`] = gridW * share;
  }
  return values;
}

/** The words of different makers for one phase of the set's life. */
const GENSET_STATES: Readonly<Record<GensetPhase, readonly string[]>> = {
  stopped: ['standby', 'stopped'],
  cranking: ['starting', 'cranking'],
  resting: ['starting', 'standby'],
  warmingUp: ['running', 'warmingUp'],
  running: ['running'],
  coolingDown: ['stopping', 'coolingDown', 'running'],
  failed: ['error', 'failed', 'fault'],
};

/** The same for what went wrong with it. */
const GENSET_FAULTS: Readonly<Record<GensetFault, readonly string[]>> = {
  none: ['none'],
  failedToStart: ['failedToStart', 'E10', 'none'],
  stopped: ['stopped', 'E20', 'none'],
  lowOilPressure: ['lowOilPressure', 'E4', 'none'],
  highTemperature: ['highTemperature', 'E3', 'none'],
};

function gensetValues(spec: PostSpec, state: PostState): Values {
  const { genset, counters } = state;
  const turning = isTurning(genset);
  const values: Values = {
    'genset.power': genset.powerW,
    'genset.energy': counters.total.genset,
    'genset.energyToday': counters.today.genset,
    'genset.frequency': turning ? 50 + 0.15 * state.inverter.drift[3] : 0,
    'genset.runtime': genset.runtimeS,
    'genset.starts': genset.starts,
    'genset.fuelLevel': (100 * genset.fuelL) / spec.genset.fuelTankL,
    'genset.coolantTemperature': genset.coolantC,
    'genset.oilPressure': genset.oilKPa,
    'genset.starterVoltage': genset.starterV,
    'genset.state': GENSET_STATES[genset.phase],
    'genset.faults': GENSET_FAULTS[genset.fault],
  };
  for (const [index, share] of spec.load.phaseShares.entries()) {
    const volts = turning ? spec.inverter.voltageV + 1.5 * (state.inverter.drift[index] ?? 0) : 0;
    values[`genset.l${index + 1}.voltage`] = volts;
    values[`genset.l${index + 1}.current`] = volts > 0 ? (genset.powerW * share) / volts : 0;
    values[`genset.l${index + 1}.power`] = genset.powerW * share;
  }
  return values;
}

function loadValues(spec: PostSpec, state: PostState): Values {
  const { dispatch, voltagesV, frequencyHz } = state.inverter;
  const values: Values = {
    'load.power': dispatch.loadW,
    'load.backupPower': dispatch.loadW,
    'load.frequency': frequencyHz,
    'load.energy': state.counters.total.load,
    'load.energyToday': state.counters.today.load,
  };
  for (const [index, share] of spec.load.phaseShares.entries()) {
    const powerW = dispatch.loadW * share;
    const volts = voltagesV[index] ?? 0;
    values[`load.l${index + 1}.power`] = powerW;
    values[`load.l${index + 1}.backupPower`] = powerW;
    values[`load.l${index + 1}.voltage`] = volts;
    values[`load.l${index + 1}.current`] = volts > 0 ? powerW / volts : 0;
  }
  return values;
}

/** Maker's codes for why the inverter stands still: the hybrids' F numbers first. */
const INVERTER_FAULTS: Readonly<Record<InverterFault, readonly string[]>> = {
  none: ['none'],
  batteryLow: ['F56', 'none'],
  overload: ['F18', 'none'],
  overheated: ['F64', 'none'],
  insulation: ['F24', 'none'],
  hardware: ['F19', 'none'],
};

function inverterValues(spec: PostSpec, state: PostState): Values {
  const { inverter, counters, at } = state;
  const { dispatch, voltagesV, on } = inverter;
  const outW = dispatch.pvW + dispatch.batteryW;
  const total = counters.total;
  const today = counters.today;
  const source = dispatch.gensetW > 0 ? 'genset' : dispatch.gridW > 0 ? 'grid' : 'inverting';
  const values: Values = {
    'ac.power': outW,
    'ac.frequency': inverter.frequencyHz,
    'ac.energyImport': total.gridImport + total.genset,
    'ac.energyExport': 0,
    'inverter.state': stateWords(on, source),
    'inverter.faults': INVERTER_FAULTS[inverter.fault],
    'inverter.warnings': inverter.fanStands ? ['W02', 'none'] : state.surgeProtected ? 'none' : ['W01', 'none'],
    'inverter.relays': relays(spec, state),
    'inverter.ioMode': 'generatorInput',
    'inverter.type': 'lowVoltageThreePhase',
    'inverter.acSource':
      source === 'inverting' ? 'inverting' : source === 'grid' ? 'acInput1' : ['acInput2', 'acInput1'],
    'inverter.temperature': inverter.heatSinkC,
    'inverter.dcTemperature': inverter.heatSinkC - 4,
    'inverter.energy': total.load - total.gridImport - total.genset,
    'inverter.energyToday': today.load - today.gridImport - today.genset,
    'inverter.ratedPower': spec.inverter.ratedW,
    'device.serial': spec.inverter.serial,
    'device.clock': clockText(spec, at),
    'device.uptime': Math.round(spec.ageDays * 86_400),
  };
  for (const [index, share] of spec.load.phaseShares.entries()) {
    const volts = voltagesV[index] ?? 0;
    values[`ac.l${index + 1}.voltage`] = volts;
    values[`ac.l${index + 1}.power`] = outW * share;
    values[`ac.l${index + 1}.current`] = volts > 0 ? (outW * share) / volts : 0;
  }
  return values;
}

function stateWords(on: boolean, source: 'genset' | 'grid' | 'inverting'): readonly string[] {
  if (!on) return ['off', 'fault', 'notAvailable'];
  if (source === 'inverting') return ['normal', 'inverting'];
  return ['normal', source, 'bulk'];
}

function relays(spec: PostSpec, state: PostState): readonly string[] {
  const { dispatch, on } = state.inverter;
  return [
    ...(on ? ['inverterRelay'] : []),
    ...(dispatch.gridW > 0 ? ['gridRelay'] : []),
    ...(dispatch.gensetW > 0 ? ['gensetRelay'] : []),
    ...(spec.grid.maxW > 0 ? ['gridPowersRelay'] : []),
  ];
}

/** The device's own clock, set to the post's local time. */
function clockText(spec: PostSpec, at: number): string {
  return new Date(at + spec.site.clockOffsetMin * 60_000).toISOString().slice(0, 19);
}
