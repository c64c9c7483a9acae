// What a device itself gets wrong: it answers, and what it says is not what it measures.
import { Type } from 'typebox';
import { any, device, type FaultOf, positive } from './fault-kind.js';

const metrics = Type.Optional(Type.Array(Type.String(), { minItems: 1 }));

export const DEVICE_FAULTS = {
  /** Answers the same words again and again. */
  stuck: { measures: { device } },
  /** Answers the same values again and again, but its clock and uptime go on. */
  frozen: { measures: { device } },
  /** Has no value for these metrics, or for any. */
  noValue: { measures: { device, metrics } },
  /** Counters start again from zero. That lasts, whatever `toS` says. */
  counterReset: { measures: { device } },
  /** Counters stand so far below the end of their registers, in the product's unit, and start again from zero after it. */
  rollover: { measures: { device, headroom: positive } },
  /** 32-bit values with their words the wrong way round, as after an update. */
  swappedWords: { measures: { device } },
  /** Somebody changed the unit at the device's keys: its numbers are so many times what they were. */
  unitChange: { measures: { device, metrics, factor: positive } },
  /** A sensor that drifts: times a factor, and an offset, as far as it has grown. */
  drift: {
    measures: {
      device,
      metrics: Type.Array(Type.String(), { minItems: 1 }),
      factor: Type.Optional(any),
      offset: Type.Optional(any),
    },
  },
  /** The clamps sit the wrong way round: what flows in is counted as flowing out. */
  reversedCt: { measures: { device } },
  /** The device's clock has lost its battery: it shows so many seconds too many. */
  clockWrong: { measures: { device, seconds: any } },
};
export type DeviceFault = FaultOf<typeof DEVICE_FAULTS>;
