// What goes wrong with battery, inverter, array and genset. The letters name the alert that an engineer would want.
import { type TProperties, Type } from 'typebox';
import type { Disturbance } from '../world/disturbance.js';
import { any, type FaultKind, grownFactor, notNegative, positive, share } from './fault-kind.js';

export function plant<P extends TProperties>(
  measures: P,
  effect: FaultKind<P, Disturbance>['effect'],
): FaultKind<P, Disturbance> {
  return { measures, effect };
}

/** Strings of an array are counted from 1. */
const string = Type.Integer({ minimum: 1, maximum: 4 });

function stringFactors(number: number, factor: number): readonly number[] {
  return [1, 2, 3, 4].map((one) => (one === number ? factor : 1));
}

export const BATTERY_FAULTS = {
  /** The battery is pulled to a state of charge, %, at 10 % a second. B1, B2, B3 */
  batterySoc: plant({ soc: Type.Number({ minimum: 0, maximum: 100 }) }, ({ soc }) => ({ batterySoc: soc })),
  /** A management system that lets a frozen pack be charged. B4 */
  coldChargeAllowed: plant({}, () => ({ coldChargeAllowed: true })),
  /** B5 */
  roomHeaterOff: plant({}, () => ({ roomHeaterOff: true })),
  /** B6 */
  roomHot: plant({ kelvin: notNegative }, ({ kelvin }, grown) => ({ roomHotK: kelvin * grown })),
  /** A cell that is behind the others by so much charge, %. B7, B3 */
  weakCell: plant({ soc: Type.Number({ minimum: 0, maximum: 50 }) }, ({ soc }, grown) => ({
    cellSpreadSoc: soc * grown,
  })),
  /** What the current sensor shows at rest: the state of charge drifts. B8 */
  shuntOffset: plant({ amperes: any }, ({ amperes }, grown) => ({ shuntOffsetA: amperes * grown })),
  /** B9, B10 */
  capacityFade: plant({ share }, (measures, grown) => ({ capacityLostShare: Math.min(0.95, measures.share * grown) })),
  /** Times the resistance of the pack. B11 */
  looseLug: plant({ factor: positive }, ({ factor }, grown) => ({
    batteryResistanceFactor: grownFactor(factor, grown),
  })),
  /** The management system opens its contactor. B12, I1 */
  bmsTrip: plant({}, () => ({ bmsTripped: true })),
  /** B13 */
  cellSensorOpen: plant({}, () => ({ cellSensorOpen: true })),
};

export const INVERTER_FAULTS = {
  /** I1, I2 */
  inverterTrip: plant({}, () => ({ inverterTrip: 'hardware' as const })),
  /** I8 */
  insulationFault: plant({}, () => ({ inverterTrip: 'insulation' as const })),
  /** Heaters, welding, a new kitchen: I3 where it is much, I7 and B1 where it stays. */
  extraLoad: plant({ watts: notNegative }, ({ watts }, grown) => ({ extraLoadW: watts * grown })),
  /** I4 */
  fanBlocked: plant({}, () => ({ fanBlocked: true })),
  /** Times the voltage. I5 */
  outputVoltage: plant({ factor: positive }, ({ factor }, grown) => ({ voltageFactor: grownFactor(factor, grown) })),
  /** Added to the frequency. I5 */
  outputFrequency: plant({ hertz: any }, ({ hertz }, grown) => ({ frequencyOffsetHz: hertz * grown })),
  /** I9 */
  surgeProtectorGone: plant({}, () => ({ surgeProtectorGone: true })),
  gridLost: plant({}, () => ({ gridLost: true })),
};

export const ARRAY_FAULTS = {
  /** A tree, a mast, a new roof: share of the light that it takes. V1 */
  shading: plant({ share }, (measures, grown) => ({ sunFactor: 1 - measures.share * grown })),
  /** One of two rows on a string has lost its fuse or connector. V2 */
  stringOut: plant({ string }, (measures) => ({ stringFactors: stringFactors(measures.string, 0.5) })),
  /** Share of the light that still reaches the array, as long as the fault stands. V3 */
  snow: plant({ share }, (measures) => ({ sunFactor: measures.share })),
  /** Snow falls, and lies until it slides. V3 */
  snowfall: plant({ cmPerHour: positive }, ({ cmPerHour }) => ({ snowfallCmH: cmPerHour })),
  /** Share of the light that dust takes each day, beside what it usually takes. V4 */
  dust: plant({ perDay: share }, ({ perDay }) => ({ dustPerDay: perDay })),
  /** V5 */
  arrayOff: plant({}, () => ({ arrayOff: true })),
  /** V6 */
  irradianceSensorBad: plant({ factor: notNegative }, ({ factor }, grown) => ({
    irradianceFactor: grownFactor(factor, grown),
  })),
  /** All of a string is gone, voltage too. V8 */
  panelsStolen: plant({ string }, (measures) => ({ stringFactors: stringFactors(measures.string, 0) })),
};

export const GENSET_FAULTS = {
  /** G1 */
  gensetFailsToStart: plant({}, () => ({ gensetFailsToStart: true })),
  /** The air in °C below which this fuel gels: summer diesel in winter. G1, G5 */
  fuelGelled: plant({ celsius: any }, ({ celsius }) => ({ fuelGelsC: celsius })),
  /** G2, G8 */
  fuelTheft: plant({ litresPerHour: notNegative }, ({ litresPerHour }) => ({ fuelLossLH: litresPerHour })),
  /** G2 */
  passClosed: plant({}, () => ({ passClosed: true })),
  /** It may charge with so little that it idles. G3, G4 */
  gensetIdles: plant({ watts: notNegative }, ({ watts }) => ({ gensetChargeW: watts })),
  /** G5 */
  gensetStops: plant({}, () => ({ gensetStops: true })),
  /** G6, then G1 */
  starterChargerOff: plant({}, () => ({ starterChargerOff: true })),
  /** G7 */
  oilLost: plant({}, () => ({ oilLost: true })),
  /** G7 */
  radiatorBlocked: plant({}, () => ({ radiatorBlocked: true })),
  /** Times the fuel for the same work. G9 */
  injectorsWorn: plant({ factor: positive }, ({ factor }, grown) => ({ fuelFactor: grownFactor(factor, grown) })),
  /** G11, then G1 */
  blockHeaterOff: plant({}, () => ({ blockHeaterOff: true })),
};
