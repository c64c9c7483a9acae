// What is wrong with the plant during a step. The world does not know why or for how long: `fault/` does.

/** Faults of the plant at one moment. Empty: all is well. */
export interface Disturbance {
  /** State of charge that the battery is pulled to, %. The energy that this takes or gives is accounted for apart. */
  readonly batterySoc?: number;
  /** No water at the pump. */
  readonly dryWell?: boolean;
  /** The valve after the pump is shut, or the line is frozen. */
  readonly closedValve?: boolean;
  /** The pump turns but moves nothing: broken shaft, or a check valve that is stuck open. */
  readonly noFlow?: boolean;
  /** The pump runs whatever the tank's float says. */
  readonly pumpByHand?: boolean;
  /** The pump is switched off. */
  readonly pumpOff?: boolean;
  /** Times the friction of the line: scale, ice, a half-shut valve. */
  readonly frictionFactor?: number;
  /** Times the pump's head: a worn impeller. */
  readonly headFactor?: number;
  /** Share of the pumped water that is lost between pump and tank. */
  readonly lineLeakShare?: number;
  /** Water lost from the tank's outlet at all hours, m³/h. */
  readonly tankLeakM3h?: number;
  /** The genset cranks and does not start. */
  readonly gensetFailsToStart?: boolean;
  /** Times the sunlight that reaches the array: snow, dust. */
  readonly sunFactor?: number;
  /** The grid is gone, where there is one. */
  readonly gridLost?: boolean;
  /** The float says "full" or "not full" whatever the level. */
  readonly floatStuck?: 'full' | 'notFull';
}

const QUICK: readonly (keyof Disturbance)[] = [
  'batterySoc',
  'dryWell',
  'closedValve',
  'noFlow',
  'pumpByHand',
  'pumpOff',
];

/** True when something is wrong that works within seconds. What goes on for days, such as snow or a leak, does not. */
export function isQuick(disturbance: Disturbance): boolean {
  return QUICK.some((name) => disturbance[name] !== undefined && disturbance[name] !== false);
}
