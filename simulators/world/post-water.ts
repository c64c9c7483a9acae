// A post's water in one step: well, pump, line, tank, people and meter.
import type { Disturbance } from './disturbance.js';
import { stepDraws } from './draws.js';
import { frictionOf, isShut, lostM3h, stepLine, stepWell } from './line.js';
import type { PostState, WaterStep } from './post.js';
import type { PostSpec } from './post-spec.js';
import { stepPump } from './pump.js';
import type { RandomStream } from './random.js';
import { stepFloat, stepTank } from './tank.js';
import { stepWaterMeter } from './water-meter.js';

type WaterPart = 'pump' | 'well' | 'line' | 'tank' | 'draws' | 'waterMeter' | 'water' | 'pumpByHand';

/** What surrounds the water during a step. */
export interface WaterSurroundings {
  readonly at: number;
  readonly airC: number;
  readonly acAlive: boolean;
  /** Power of the pump's own array, W. */
  readonly arrayW: number;
}

interface WaterStreams {
  readonly pump: RandomStream;
  readonly people: RandomStream;
  readonly meter: RandomStream;
}

export function stepWater(
  spec: PostSpec,
  state: PostState,
  { at, airC, acAlive, arrayW }: WaterSurroundings,
  disturbance: Disturbance,
  dtS: number,
  random: WaterStreams,
): Pick<PostState, WaterPart> {
  const hours = dtS / 3600;
  const order = {
    levelAsks: state.tank.asks,
    acAlive,
    arrayW,
    airC,
    line: {
      staticHeadM: spec.pump.staticHeadM + state.well.drawdownM,
      friction: spec.pump.friction * frictionOf(state.line, disturbance),
    },
    lineShut: disturbance.closedValve === true || isShut(state.line),
    wellDry: disturbance.dryWell === true || state.well.isDry,
  };
  const pump = stepPump(spec.pump, state.pump, order, disturbance, dtS, random.pump);
  const lostRateM3h = lostM3h(state.line, pump.point.headM - spec.pump.wellDepthM, pump.deliveredM3h, disturbance);
  const backM3h = pump.speed > 0 ? 0 : (disturbance.backflowM3h ?? 0);
  const { draws, litres } = stepDraws(spec, state.draws, at, dtS, random.people, disturbance.peopleFactor);
  const water = flowOf(spec, state, pump.deliveredM3h * hours, lostRateM3h * hours, {
    wantedM3: litres / 1000,
    leakM3: (disturbance.tankLeakM3h ?? 0) * hours,
    backM3: backM3h * hours,
  });
  const float = stepFloat(spec.tank, state.tank.asks, water.volumeM3, disturbance.floatStuck);
  const line = stepLine(spec.line, state.line, pump.deliveredM3h, airC, dtS, disturbance);
  const meteredM3h = pump.deliveredM3h - (hours > 0 ? water.returnedM3 / hours : 0);
  return {
    pump,
    pumpByHand: disturbance.pumpByHand === true,
    well: stepWell(spec.pump, state.well, pump.point.flowM3h, dtS, disturbance.wellFactor),
    line,
    draws,
    tank: {
      volumeM3: water.volumeM3,
      floatFull: float.floatFull,
      asks: float.asks,
      waveM: 0.002 * random.meter.normal(),
    },
    waterMeter: stepWaterMeter(
      spec.waterMeter,
      state.waterMeter,
      meteredM3h,
      line.waterC,
      dtS,
      random.meter,
      disturbance,
    ),
    water,
  };
}

interface Takers {
  readonly wantedM3: number;
  readonly leakM3: number;
  /** What would run back into the well. */
  readonly backM3: number;
}

function flowOf(spec: PostSpec, state: PostState, pumpedM3: number, lineLostM3: number, takers: Takers): WaterStep {
  const inM3 = pumpedM3 - lineLostM3;
  const returnedM3 = Math.min(takers.backM3, state.tank.volumeM3);
  const { wantedM3, leakM3 } = takers;
  const step = stepTank(spec.tank, state.tank.volumeM3 - returnedM3, { inM3, wantedM3, leakM3 });
  // Field by field: this runs in every step of every post, and a spread costs more than all the arithmetic.
  return {
    volumeM3: step.volumeM3,
    drawnM3: step.drawnM3,
    leakedM3: step.leakedM3,
    overflowM3: step.overflowM3,
    missingM3: step.missingM3,
    pumpedM3,
    lineLostM3,
    inM3,
    returnedM3,
  };
}
