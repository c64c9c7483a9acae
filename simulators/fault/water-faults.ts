// What goes wrong with well, pump, line, tank and meter. The letters name the alert that an engineer would want.
import { Type } from 'typebox';
import { grownFactor, notNegative, positive, share } from './fault-kind.js';
import { plant } from './power-faults.js';

const flow = { flowM3h: notNegative };

export const PUMP_FAULTS = {
  /** W1 */
  dryWell: plant({}, () => ({ dryWell: true })),
  /** Times the water that comes into the well: it is drawn down, and fills again. W1, W11 */
  wellLow: plant({ factor: share }, ({ factor }, grown) => ({ wellFactor: grownFactor(factor, grown) })),
  /** A broken riser, or a check valve that is stuck open. W2 */
  noFlow: plant({}, () => ({ noFlow: true })),
  /** W2 */
  brokenShaft: plant({}, () => ({ brokenShaft: true })),
  /** W9 */
  pumpByHand: plant({}, () => ({ pumpByHand: true })),
  /** W7, W8 */
  pumpOff: plant({}, () => ({ pumpOff: true })),
  /** Ordered to run, without power. W7, W8 */
  pumpUnpowered: plant({}, () => ({ pumpUnpowered: true })),
  /** Times the pump's head. W12 */
  wornPump: plant({ factor: share }, ({ factor }, grown) => ({ headFactor: grownFactor(factor, grown) })),
  /** Times the pump's power. W12 */
  sandInPump: plant({ factor: Type.Number({ minimum: 1 }) }, ({ factor }, grown) => ({
    pumpPowerFactor: grownFactor(factor, grown),
  })),
  /** Everything flutters, and a little head is gone. W1 */
  gasInWater: plant({}, () => ({ gasInWater: true })),
};

export const WATER_FAULTS = {
  /** W2 */
  closedValve: plant({}, () => ({ closedValve: true })),
  /** Times the friction of the line. W2, W12 */
  blockage: plant({ factor: Type.Number({ minimum: 1 }) }, ({ factor }, grown) => ({
    frictionFactor: grownFactor(factor, grown),
  })),
  /** Share of the pumped water lost before the tank. W3 */
  lineLeak: plant({ share }, (measures, grown) => ({ lineLeakShare: measures.share * grown })),
  /** Weeping joints: the loss at one bar, which grows with pressure to the power of 1.5. W3 */
  backgroundLeak: plant(flow, ({ flowM3h }, grown) => ({ lineHole: { flowM3h: flowM3h * grown, exponent: 1.5 } })),
  /** A hole: the loss at one bar, which grows with the root of pressure. The line behind it hardly resists. W4 */
  lineBurst: plant(flow, ({ flowM3h }) => ({ lineHole: { flowM3h, exponent: 0.5 }, frictionFactor: 0.125 })),
  /** W5, then W6 where the line lies in the frost */
  traceHeatingOff: plant({}, () => ({ traceHeatingOff: true })),
  /** Water runs back into the well while the pump stands. W14 */
  checkValveLeaks: plant(flow, ({ flowM3h }, grown) => ({ backflowM3h: flowM3h * grown })),
  /** A tap left open, a main that has burst behind the tank. W3, W4, W7, W8 */
  tankLeak: plant(flow, ({ flowM3h }, grown) => ({ tankLeakM3h: flowM3h * grown })),
  /** W7, W8 */
  floatStuckFull: plant({}, () => ({ floatStuck: 'full' as const })),
  /** W9 */
  floatStuckNotFull: plant({}, () => ({ floatStuck: 'notFull' as const })),
  /** W13 */
  meterStopped: plant({}, () => ({ meterStopped: true })),
  /** The pipe at the meter is not full. */
  meterEmpty: plant({}, () => ({ meterEmpty: true })),
  /** Gel that has dried in the frost. S10 */
  meterPoorSignal: plant({}, () => ({ meterPoorSignal: true })),
  /** W15 */
  nobodyHome: plant({}, () => ({ peopleFactor: 0 })),
  /** Times the people. W7, B1 */
  guests: plant({ factor: positive }, ({ factor }) => ({ peopleFactor: factor })),
};
