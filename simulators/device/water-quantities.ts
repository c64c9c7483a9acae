// Pump, water meter, tank and weather, as their instruments show them.
import { soilC } from '../world/line.js';
import type { PostState } from '../world/post.js';
import type { PostSpec } from '../world/post-spec.js';
import { operatingPoint } from '../world/pump-curve.js';
import { fillOf } from '../world/tank.js';
import type { MetricValue } from './encoder.js';

type Values = Record<string, MetricValue>;

/** Inner area of the pipe that the meter is clamped on, 32.6 mm bore. */
const BORE_AREA_M2 = Math.PI * 0.0163 ** 2;
const KPA_PER_M = 9.81;

export function pumpQuantities(spec: PostSpec, state: PostState): Values {
  const { pump, sunlight } = state;
  const running = pump.speed > 0;
  const solar = spec.pump.supply === 'solar';
  const ratedW = operatingPoint(spec.pump, spec.pump, 1).powerW;
  const motorVoltageV = spec.pump.motorVoltageV * pump.speed;
  // Standing, the check valve holds the column of water in the line.
  const columnM = state.line.columnShare * (spec.pump.staticHeadM - spec.pump.wellDepthM);
  const wellHeadM = running ? pump.point.headM - spec.pump.wellDepthM : columnM;
  return {
    'pump.power': pump.powerW,
    'pump.powerShare': (100 * pump.powerW) / ratedW,
    'pump.torqueShare': running ? (100 * pump.powerW) / ratedW / pump.speed : 0,
    'pump.energy': pump.energyWh,
    'pump.frequency': pump.speed * spec.pump.ratedFrequencyHz,
    'pump.frequencySetpoint': pump.targetSpeed * spec.pump.ratedFrequencyHz,
    'pump.speed': pump.speed * spec.pump.ratedSpeedRpm,
    'pump.current': running ? pump.powerW / (0.82 * Math.max(30, motorVoltageV)) : 0,
    'pump.motorVoltage': motorVoltageV,
    'pump.dcVoltage': solar ? (sunlight.onArray > 5 ? 380 - 40 * pump.speed : 0) : state.inverter.on ? 325 : 0,
    'pump.head': running ? pump.point.headM : 0,
    'pump.outletPressure': Math.max(0, wellHeadM * KPA_PER_M),
    'pump.flowEstimate': pump.point.flowM3h,
    'pump.volumeEstimate': pump.volumeM3,
    'pump.motorTemperature': pump.motorC,
    'pump.electronicsTemperature': pump.electronicsC,
    'pump.runtime': pump.runtimeS,
    'pump.poweredTime': pump.poweredS,
    'pump.starts': pump.starts,
    'pump.state': stateWords(state),
    'pump.mode': state.pumpByHand ? ['hand', 'manual'] : 'auto',
    'pump.controlMode': ['constantFrequency', 'constantSpeed'],
    'pump.faults': pump.phase === 'tripped' ? ['F57', 'none'] : 'none',
    'pump.warnings': 'none',
    'water.temperature': state.waterMeter.waterC,
    'pv1.voltage': solar && sunlight.onArray > 5 ? 380 : 0,
    'pv.power': solar ? pump.powerW : 0,
  };
}

function stateWords({ pump }: PostState): readonly string[] {
  if (pump.speed > 0) return ['running'];
  if (pump.phase === 'tripped') return ['fault', 'standby', 'off'];
  return ['standby', 'stopped', 'off'];
}

export function waterMeterQuantities({ waterMeter, at }: PostState): Values {
  return {
    'water.flow': waterMeter.flowM3h,
    'water.volume': waterMeter.forwardM3,
    'water.volumeReverse': waterMeter.reverseM3,
    'water.volumeNet': waterMeter.forwardM3 - waterMeter.reverseM3,
    'water.velocity': waterMeter.flowM3h / 3600 / BORE_AREA_M2,
    'water.temperature': waterMeter.waterC,
    'water.signalQuality': waterMeter.quality,
    'water.signalStrengthUp': waterMeter.strengthUp,
    'water.signalStrengthDown': waterMeter.strengthDown,
    'water.transitTimeRatio': waterMeter.transitRatio,
    'water.faults': waterMeter.fault === 'none' ? 'none' : [waterMeter.fault, 'lowSignal'],
    'device.uptime': Math.round(waterMeter.workingS),
    'device.clock': new Date(at).toISOString().slice(0, 19),
  };
}

export function tankQuantities(spec: PostSpec, { tank, weather }: PostState): Values {
  return {
    'tank.level': Math.max(0, tank.volumeM3 / spec.tank.areaM2 + tank.waveM),
    'tank.fill': fillOf(spec.tank, tank),
    'tank.volume': tank.volumeM3,
    'tank.temperature': Math.max(1.5, soilC(weather.airC)),
    'tank.floatFull': tank.floatFull ? ['full', 'on'] : ['notFull', 'off'],
  };
}

export function weatherQuantities({ line, shownIrradiance, weather }: PostState): Values {
  return {
    'weather.airTemperature': weather.airC,
    'weather.irradiance': shownIrradiance,
    'weather.windSpeed': weather.windMS,
    'weather.pipeTemperature': line.waterC,
  };
}
