// The tank at the end of the line: what comes in, what is drawn, leaks or runs over, and the float that asks for more.
import type { TankSpec } from './post-spec.js';

export interface TankState {
  readonly volumeM3: number;
  /** The float has reached its upper stop. */
  readonly floatFull: boolean;
  /** The float asks the pump for water. */
  readonly asks: boolean;
  /** What the level sensor sees above or below the truth (waves), m. */
  readonly waveM: number;
}

export interface TankFlows {
  readonly inM3: number;
  readonly wantedM3: number;
  readonly leakM3: number;
}

/** What left the tank during a step, m³. `volume after = before + in − drawn − leaked − overflow`. */
export interface TankStep {
  readonly volumeM3: number;
  readonly drawnM3: number;
  readonly leakedM3: number;
  readonly overflowM3: number;
  /** Asked for and not there. */
  readonly missingM3: number;
}

export function fullVolumeM3(spec: TankSpec): number {
  return spec.areaM2 * spec.heightM;
}

export function initialTank(spec: TankSpec): TankState {
  const volumeM3 = (fullVolumeM3(spec) * spec.startFill) / 100;
  return { volumeM3, floatFull: false, asks: spec.startFill < spec.restartFill, waveM: 0 };
}

/** Fill, % of the whole height. */
export function fillOf(spec: TankSpec, tank: Pick<TankState, 'volumeM3'>): number {
  return (100 * tank.volumeM3) / fullVolumeM3(spec);
}

export function stepTank(spec: TankSpec, volumeM3: number, flows: TankFlows): TankStep {
  const offeredM3 = volumeM3 + flows.inM3;
  const drawnM3 = Math.min(flows.wantedM3, offeredM3);
  const leakedM3 = Math.min(flows.leakM3, offeredM3 - drawnM3);
  const leftM3 = offeredM3 - drawnM3 - leakedM3;
  const mostM3 = (fullVolumeM3(spec) * spec.overflowFill) / 100;
  const overflowM3 = Math.max(0, leftM3 - mostM3);
  return { volumeM3: leftM3 - overflowM3, drawnM3, leakedM3, overflowM3, missingM3: flows.wantedM3 - drawnM3 };
}

/** The float after a step: full until the water has fallen to the restart level. @param asked it asked for water before */
export function stepFloat(
  spec: TankSpec,
  asked: boolean,
  volumeM3: number,
  stuck?: 'full' | 'notFull',
): Pick<TankState, 'floatFull' | 'asks'> {
  const fill = fillOf(spec, { volumeM3 });
  const floatFull = stuck === undefined ? fill >= spec.fullFill : stuck === 'full';
  return { floatFull, asks: !floatFull && (asked || fill < spec.restartFill) };
}
