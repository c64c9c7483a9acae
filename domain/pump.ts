// Is the pump running dry, or running without flow? A solar pump changes speed all day, so everything is compared at the
// pump's present speed n = f / f_rated by the affinity laws (flow ~ n, head ~ n², power ~ n³). Bad input gives `unknown`.
import type { Condition } from './limit.js';

export interface PumpFacts {
  /** Centrifugal, or positive displacement (screw, helical rotor): its flow goes with speed and its torque with head. */
  readonly type: 'centrifugal' | 'positive';
  readonly ratedFrequencyHz: number;
  /**
   * Electrical power at rated frequency: of a centrifugal pump against its closed valve, of a positive one (which must
   * never meet a closed valve) against the static head. Measured at commissioning.
   */
  readonly deadHeadPowerW: number;
  /** From the water in the well to the outlet. */
  readonly staticHeadM: number;
  /** Head of a centrifugal pump at rated frequency without flow. */
  readonly shutOffHeadM: number;
  /** Flow through the installed line at rated frequency. */
  readonly ratedFlowM3h: number;
  /** The smallest flow that the meter tells from zero. */
  readonly flowMeterCutoffM3h: number;
  /** Time from the start until water arrives: at least twice the riser's volume by the flow. 30 s where absent. */
  readonly primingTimeMs?: number;
}

/** What is seen now. null: no sensor, or no value of good quality. */
export interface PumpObservation {
  readonly frequencyHz: number | null;
  readonly powerW: number | null;
  readonly flowM3h: number | null;
  /** Pressure at the pump's outlet as head, with the level below it. */
  readonly headM: number | null;
  /** Since the last start. */
  readonly runningForMs: number | null;
  /** The speed changed by less than 3 % in 30 s. */
  readonly steady: boolean;
}

const PRIMING_TIME_MS = 30_000;
/** Below this share of rated speed a drive is on its way to or from standstill. */
const STOPPED_SPEED = 0.1;
/** Just above the speed that reaches the static head a healthy pump has almost no flow either. */
const SPEED_MARGIN = 0.05;
/** At a closed valve water still turns in the pump; dry, clearly less power is drawn (seen: 40 to 55 % less). */
const DRY_POWER_SHARE = 0.75;
const NO_FLOW_SHARE = 0.1;
const LOW_HEAD_SHARE = 0.5;

/** Three-valued: null where it cannot be said. */
type Answer = boolean | null;

const known = (value: number | null): number | null => (value !== null && Number.isFinite(value) ? value : null);

/** The share of rated speed at which the pump's head equals the static head. A positive pump lifts at any speed. */
function speedMin(facts: PumpFacts): number {
  return facts.type === 'positive' ? 0 : Math.sqrt(Math.max(0, facts.staticHeadM) / facts.shutOffHeadM);
}

/**
 * Flow to expect at a share of rated speed, m³/h. From H = H0·n² − a·Q² meeting H = Hs + k·Q²: a and k only come as their
 * sum, and that follows from the rated flow. Zero below the speed that lifts.
 */
export function expectedFlowM3h(facts: PumpFacts, speed: number): number {
  if (facts.type === 'positive') return facts.ratedFlowM3h * speed;
  const { shutOffHeadM, staticHeadM, ratedFlowM3h } = facts;
  const share = (shutOffHeadM * speed ** 2 - staticHeadM) / (shutOffHeadM - staticHeadM);
  return ratedFlowM3h * Math.sqrt(Math.max(0, share));
}

/** The speed to judge at; `false` where the pump stands still, null where nothing can be judged now. */
function judgedSpeed(facts: PumpFacts, observation: PumpObservation): number | false | null {
  const frequencyHz = known(observation.frequencyHz);
  if (frequencyHz === null) return null;
  const speed = frequencyHz / facts.ratedFrequencyHz;
  if (speed < STOPPED_SPEED) return false;
  const runningForMs = known(observation.runningForMs);
  if (runningForMs === null || runningForMs < (facts.primingTimeMs ?? PRIMING_TIME_MS)) return null;
  return observation.steady && speed > Math.max(STOPPED_SPEED, speedMin(facts)) + SPEED_MARGIN ? speed : null;
}

/** The two signs of water: each true, false, or not known. */
interface Signs {
  /** Less power than water in the pump would take. */
  readonly powerLow: Answer;
  readonly flowLow: Answer;
  readonly headLow: Answer;
}

function signsOf(facts: PumpFacts, observation: PumpObservation, speed: number): Signs {
  const powerW = known(observation.powerW);
  const flowM3h = known(observation.flowM3h);
  const headM = known(observation.headM);
  const positive = facts.type === 'positive';
  const wetPowerW = facts.deadHeadPowerW * (positive ? speed : speed ** 3);
  const headMinM = LOW_HEAD_SHARE * (positive ? facts.staticHeadM : facts.shutOffHeadM * speed ** 2);
  const flowMinM3h = Math.max(facts.flowMeterCutoffM3h, NO_FLOW_SHARE * expectedFlowM3h(facts, speed));
  return {
    powerLow: powerW === null ? null : powerW < DRY_POWER_SHARE * wetPowerW,
    flowLow: flowM3h === null ? null : flowM3h < flowMinM3h,
    headLow: headM === null ? null : headM < headMinM,
  };
}

/** Dry: power is low, and of flow and head at least one says so and none denies it. One sensor alone convicts nobody. */
function dry({ powerLow, flowLow, headLow }: Signs): Answer {
  if (powerLow === false || flowLow === false || headLow === false) return false;
  if (powerLow === null || (flowLow === null && headLow === null)) return null;
  return true;
}

const conditionOf = (answer: Answer): Condition => (answer === null ? 'unknown' : answer ? 'true' : 'false');

/**
 * No water at the pump: well low, gas, blocked inlet, or a stuck check valve. `false` while the pump stands still (nothing
 * runs dry); `unknown` while priming, ramping, too slow to lift, or where the sensors do not suffice.
 */
export function judgeDryRun(facts: PumpFacts, observation: PumpObservation): Condition {
  const speed = judgedSpeed(facts, observation);
  if (speed === null) return 'unknown';
  return speed === false ? 'false' : conditionOf(dry(signsOf(facts, observation, speed)));
}

/**
 * The pump has water and none arrives: closed valve, frozen or blocked line, broken riser. A dry run is not counted here,
 * so that one cause gives one alarm; where the two cannot be told apart the answer is `unknown`.
 */
export function judgeNoFlow(facts: PumpFacts, observation: PumpObservation): Condition {
  const speed = judgedSpeed(facts, observation);
  if (speed === null) return 'unknown';
  if (speed === false) return 'false';
  const signs = signsOf(facts, observation, speed);
  if (signs.flowLow !== true) return conditionOf(signs.flowLow);
  const runsDry = dry(signs);
  return conditionOf(runsDry === null ? null : !runsDry);
}
