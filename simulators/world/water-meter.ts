// A meter on the line: its flow lags, flutters and is cut off near zero; its totals only see what passes.
import type { PostSpec } from './post-spec.js';
import type { RandomStream } from './random.js';

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
    waterC: 7.4,
    workingS: Math.round(spec.ageDays * 86_400),
  };
}

export function stepWaterMeter(
  spec: PostSpec['waterMeter'],
  before: WaterMeterState,
  trueM3h: number,
  pipeC: number,
  dtS: number,
  random: RandomStream,
): WaterMeterState {
  const seen = trueM3h * (1 + spec.noise * random.normal());
  const lagging = before.flowM3h + (seen - before.flowM3h) * (1 - Math.exp(-dtS / spec.responseS));
  const flowM3h =
    Math.abs(lagging) < spec.cutOff * spec.rangeM3h && Math.abs(trueM3h) < spec.cutOff * spec.rangeM3h ? 0 : lagging;
  return {
    flowM3h,
    forwardM3: before.forwardM3 + (Math.max(0, trueM3h) * dtS) / 3600,
    reverseM3: before.reverseM3 + (Math.max(0, -trueM3h) * dtS) / 3600,
    quality: Math.round(88 + 1.5 * random.normal()),
    strengthUp: Math.round(1890 + 6 * random.normal()),
    strengthDown: Math.round(1905 + 6 * random.normal()),
    transitRatio: 100.1 + 0.15 * random.normal(),
    waterC: before.waterC + ((trueM3h > 0 ? 7.4 : pipeC) - before.waterC) * (1 - Math.exp(-dtS / 900)),
    workingS: before.workingS + dtS,
  };
}
