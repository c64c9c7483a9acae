// A meter on the line: its flow lags, flutters and is cut off near zero; its totals only see what passes.
import type { WaterTrouble } from './disturbance.js';
import { WELL_C } from './line.js';
import type { PostSpec } from './post-spec.js';
import { approach, type RandomStream } from './random.js';

export interface WaterMeterState {
  /** As shown, m³/h. */
  readonly flowM3h: number;
  readonly forwardM3: number;
  readonly reverseM3: number;
  /** Quality of the ultrasonic signal, %, and its two strengths. */
  readonly quality: number;
  readonly strengthUp: number;
  readonly strengthDown: number;
  readonly transitRatio: number;
  readonly waterC: number;
  readonly workingS: number;
  readonly fault: 'none' | 'pipeEmpty' | 'poorSignal';
}

export function initialWaterMeter(spec: PostSpec): WaterMeterState {
  return {
    flowM3h: 0,
    forwardM3: spec.waterMeter.startVolumeM3,
    reverseM3: 0.412,
    quality: 88,
    strengthUp: 1890,
    strengthDown: 1905,
    transitRatio: 100.1,
    waterC: WELL_C,
    workingS: Math.round(spec.ageDays * 86_400),
    fault: 'none',
  };
}

/** What a meter shows of a half-dry coupling: how much more it flutters. */
const POOR_NOISE = 12;

export function stepWaterMeter(
  spec: PostSpec['waterMeter'],
  before: WaterMeterState,
  trueM3h: number,
  pipeC: number,
  dtS: number,
  random: RandomStream,
  trouble: WaterTrouble,
): WaterMeterState {
  const fault = trouble.meterEmpty === true ? 'pipeEmpty' : trouble.meterPoorSignal === true ? 'poorSignal' : 'none';
  const passedM3h = trouble.meterStopped === true || fault === 'pipeEmpty' ? 0 : trueM3h;
  const seen = passedM3h * (1 + spec.noise * (fault === 'poorSignal' ? POOR_NOISE : 1) * random.normal());
  const lagging = approach(before.flowM3h, seen, dtS, spec.responseS);
  const leastM3h = spec.cutOff * spec.rangeM3h;
  return {
    flowM3h: Math.abs(lagging) < leastM3h && Math.abs(passedM3h) < leastM3h ? 0 : lagging,
    forwardM3: before.forwardM3 + (Math.max(0, passedM3h) * dtS) / 3600,
    reverseM3: before.reverseM3 + (Math.max(0, -passedM3h) * dtS) / 3600,
    ...signal(fault, random),
    waterC: approach(before.waterC, trueM3h > 0 ? WELL_C : pipeC, dtS, 900),
    workingS: before.workingS + dtS,
    fault,
  };
}

type Signal = Pick<WaterMeterState, 'quality' | 'strengthUp' | 'strengthDown' | 'transitRatio'>;

function signal(fault: WaterMeterState['fault'], random: RandomStream): Signal {
  const poor = fault === 'poorSignal';
  const heard = fault === 'pipeEmpty' ? 0 : poor ? 0.4 : 1;
  return {
    quality: Math.max(0, Math.round(88 * heard + 1.5 * random.normal())),
    strengthUp: Math.max(0, Math.round(1890 * heard + 6 * random.normal())),
    strengthDown: Math.max(0, Math.round(1905 * heard + 6 * random.normal())),
    transitRatio: (poor ? 106 : 100.1) + 0.15 * random.normal(),
  };
}
