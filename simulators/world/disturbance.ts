// What is wrong with the plant during a step. The world does not know why or for how long: `fault/` does.

/** Faults of the plant at one moment. Empty: all is well. */
export interface Disturbance
  extends BatteryTrouble,
    ArrayTrouble,
    InverterTrouble,
    GensetTrouble,
    PumpTrouble,
    WaterTrouble {
  /** The grid is gone, where there is one. */
  readonly gridLost?: boolean;
  /** A load that somebody left on, W. */
  readonly extraLoadW?: number;
  /** Times the people at the post: guests, or nobody at home. */
  readonly peopleFactor?: number;
}

export interface BatteryTrouble {
  /** State of charge that the battery is pulled to, %. The energy that this takes or gives is accounted for apart. */
  readonly batterySoc?: number;
  /** The management system lets a frozen battery be charged. */
  readonly coldChargeAllowed?: boolean;
  /** The battery room is not heated. */
  readonly roomHeaterOff?: boolean;
  /** The battery room is warmer than it should be by so much, K: a fan that stands still, sun on the container. */
  readonly roomHotK?: number;
  /** State of charge by which the weakest cell is behind the strongest, %. */
  readonly cellSpreadSoc?: number;
  /** What the current sensor shows when nothing flows, A: the state of charge that is shown drifts away. */
  readonly shuntOffsetA?: number;
  /** Share of the capacity that is gone. */
  readonly capacityLostShare?: number;
  /** Times the resistance of the pack: a loose lug. */
  readonly batteryResistanceFactor?: number;
  /** The management system has opened its contactor. */
  readonly bmsTripped?: boolean;
  /** The cells' temperature sensor is cut off. */
  readonly cellSensorOpen?: boolean;
}

export interface ArrayTrouble {
  /** Times the sunlight that reaches the array: snow, or whatever else lies on it. */
  readonly sunFactor?: number;
  /** Snow that falls, cm in an hour, whatever the weather. */
  readonly snowfallCmH?: number;
  /** Share of light that dust takes in a day more than it usually does. */
  readonly dustPerDay?: number;
  /** What is left of each string of the array. */
  readonly stringFactors?: readonly number[];
  /** The array is switched off. */
  readonly arrayOff?: boolean;
  /** What the irradiance sensor shows of the light, as a factor. */
  readonly irradianceFactor?: number;
}

export interface InverterTrouble {
  /** The inverter has stopped, and shows this fault of its own. */
  readonly inverterTrip?: 'hardware' | 'insulation';
  /** Its fans stand still. */
  readonly fanBlocked?: boolean;
  /** Times the voltage at the output, and what is added to its frequency, Hz. */
  readonly voltageFactor?: number;
  readonly frequencyOffsetHz?: number;
  /** The surge protector has given its life. */
  readonly surgeProtectorGone?: boolean;
}

export interface GensetTrouble {
  /** The genset cranks and does not start. */
  readonly gensetFailsToStart?: boolean;
  /** The running genset stops: lost fuel pump, loose wire. */
  readonly gensetStops?: boolean;
  /** Oil pressure is gone, or the radiator is blocked: it stops itself. */
  readonly oilLost?: boolean;
  readonly radiatorBlocked?: boolean;
  /** The starter battery is charged by nobody. */
  readonly starterChargerOff?: boolean;
  /** The coolant heater is off. */
  readonly blockHeaterOff?: boolean;
  /** The air temperature below which this fuel gels, °C. */
  readonly fuelGelsC?: number;
  /** Fuel that leaves the tank beside the engine, L/h. */
  readonly fuelLossLH?: number;
  /** The pass is closed: no lorry comes. */
  readonly passClosed?: boolean;
  /** Times the fuel for the same work: worn injectors. */
  readonly fuelFactor?: number;
  /** Most that it may charge the battery with, W: so little that the engine runs nearly idle. */
  readonly gensetChargeW?: number;
}

export interface PumpTrouble {
  /** No water at the pump. */
  readonly dryWell?: boolean;
  /** Times the water that comes into the well for each metre that it is drawn down. */
  readonly wellFactor?: number;
  /** The pump turns but moves nothing: a broken riser, or a check valve that is stuck open. */
  readonly noFlow?: boolean;
  /** The motor turns, the pump does not. */
  readonly brokenShaft?: boolean;
  /** The pump runs whatever the tank's float says. */
  readonly pumpByHand?: boolean;
  /** The pump is switched off. */
  readonly pumpOff?: boolean;
  /** The pump is ordered to run and has no power. */
  readonly pumpUnpowered?: boolean;
  /** Times the pump's head: a worn impeller. */
  readonly headFactor?: number;
  /** Times the pump's power: sand, a bearing. */
  readonly pumpPowerFactor?: number;
  /** Gas in the water: a little less head, and everything flutters. */
  readonly gasInWater?: boolean;
}

export interface WaterTrouble {
  /** The valve after the pump is shut. */
  readonly closedValve?: boolean;
  /** Times the friction of the line: scale, a half-shut valve. */
  readonly frictionFactor?: number;
  /** Share of the pumped water that is lost between pump and tank. */
  readonly lineLeakShare?: number;
  /** A hole in the line: m³/h that it loses at one bar, and the exponent by which that grows with pressure. */
  readonly lineHole?: { readonly flowM3h: number; readonly exponent: number };
  /** The line's trace heating is off. */
  readonly traceHeatingOff?: boolean;
  /** Water that runs back into the well while the pump stands, m³/h. */
  readonly backflowM3h?: number;
  /** Water lost from the tank's outlet at all hours, m³/h. */
  readonly tankLeakM3h?: number;
  /** The float says "full" or "not full" whatever the level. */
  readonly floatStuck?: 'full' | 'notFull';
  /** The meter stands still, is half empty, or hears its own signal badly. */
  readonly meterStopped?: boolean;
  readonly meterEmpty?: boolean;
  readonly meterPoorSignal?: boolean;
}

const QUICK: readonly (keyof Disturbance)[] = [
  'batterySoc',
  'dryWell',
  'closedValve',
  'noFlow',
  'brokenShaft',
  'pumpByHand',
  'pumpOff',
];

/** True when something is wrong that works within seconds. What goes on for days, such as snow or a leak, does not. */
export function isQuick(disturbance: Disturbance): boolean {
  return QUICK.some((name) => disturbance[name] !== undefined && disturbance[name] !== false);
}
