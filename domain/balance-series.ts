// Which series tell the sides of a post's daily balances. Counters before powers, and of each the first source that has it
// whole: the same energy is often seen by several devices.
import type { EnergySide } from './day-balance.js';
import { devicesOf, FLOW_RULES, type FlowDevice, type FlowName } from './flow.js';

export interface SeriesRef {
  readonly device: string;
  readonly metric: string;
}

export interface ChosenSide {
  readonly by: 'counter' | 'power';
  /** Empty where the post has this and no device tells how much. */
  readonly forward: readonly SeriesRef[];
  readonly back: readonly SeriesRef[];
}

interface SideRule {
  /** Which devices speak for the side, and by which powers where they do not count. */
  readonly flow: FlowName;
  readonly forward: string;
  /** Without it the other direction would be missed. */
  readonly back?: string;
  /** A device with this has a part that its counters leave out. */
  readonly uncounted?: string;
}

const ENERGY_RULES: Readonly<Record<EnergySide, SideRule>> = {
  pv: { flow: 'pvPower', forward: 'pv.energy' },
  genset: { flow: 'gensetPower', forward: 'genset.energy' },
  grid: { flow: 'gridPower', forward: 'grid.energyImport', back: 'grid.energyExport' },
  battery: {
    flow: 'batteryPower',
    forward: 'battery.dischargeEnergy',
    back: 'battery.chargeEnergy',
    uncounted: 'battery2.power',
  },
  load: { flow: 'loadPower', forward: 'load.energy' },
};

type Has = (device: string, metric: string) => boolean;

/** The devices of each source that take part in the side; sources without any are left out. */
function takersOf(devices: readonly FlowDevice[], rule: SideRule, has: Has): readonly (readonly string[])[] {
  const { metrics: powers, sources } = FLOW_RULES[rule.flow];
  const metrics = [rule.forward, rule.back ?? rule.forward, ...powers];
  return sources
    .map((source) =>
      devicesOf(devices, source).flatMap(({ id }) => (metrics.some((metric) => has(id, metric)) ? id : [])),
    )
    .filter((ids) => ids.length > 0);
}

function chooseSide(devices: readonly FlowDevice[], rule: SideRule, has: Has): ChosenSide | undefined {
  const takers = takersOf(devices, rule, has);
  if (takers.length === 0) return undefined;
  const { back, forward, uncounted } = rule;
  const powers = FLOW_RULES[rule.flow].metrics;
  const isCounted = (id: string): boolean =>
    has(id, forward) && (back === undefined || has(id, back)) && !(uncounted !== undefined && has(id, uncounted));
  const counted = takers.find((ids) => ids.every(isCounted));
  const refs = (ids: readonly string[], metric: string): SeriesRef[] => ids.map((device) => ({ device, metric }));
  if (counted !== undefined)
    return { by: 'counter', forward: refs(counted, forward), back: back === undefined ? [] : refs(counted, back) };
  const powered = takers.find((ids) => ids.every((id) => powers.some((metric) => has(id, metric)))) ?? [];
  const forwards = powers.flatMap((metric) =>
    refs(
      powered.filter((id) => has(id, metric)),
      metric,
    ),
  );
  return { by: 'power', forward: forwards, back: [] };
}

/**
 * The series behind each side of the bus that the post has.
 * @param has true where the device has the metric (from the birth), whether or not a value has come
 */
export function chooseEnergySides(
  devices: readonly FlowDevice[],
  has: Has,
): Partial<Readonly<Record<EnergySide, ChosenSide>>> {
  const sides: Partial<Record<EnergySide, ChosenSide>> = {};
  for (const name of Object.keys(ENERGY_RULES) as EnergySide[]) {
    const side = chooseSide(devices, ENERGY_RULES[name], has);
    if (side !== undefined) sides[name] = side;
  }
  return sides;
}

export interface TankFacts {
  readonly tankVolumeM3?: number | undefined;
  readonly tankHeightM?: number | undefined;
}

export interface ChosenTank extends SeriesRef {
  /** null where the post's facts do not tell it. */
  readonly m3PerUnit: number | null;
}

export interface ChosenWater {
  /** `undefined` where nothing measures what comes in. Meters before estimates of pumps. */
  readonly pumped?: ChosenSide;
  readonly tanks: readonly ChosenTank[];
}

/**
 * The series behind the water of a post. A water meter stands before the tank: no role tells of one behind it yet.
 * @param facts of the post; they describe one tank, so that of several only those with a volume of their own are known
 */
export function chooseWaterSides(devices: readonly FlowDevice[], has: Has, facts: TankFacts): ChosenWater {
  const pumped = chooseInflow(devices, has);
  const tanks = devices.filter(({ kind }) => kind === 'tank');
  const only = tanks.length === 1;
  return {
    ...(pumped !== undefined && { pumped }),
    tanks: tanks.map(({ id: device }) => tankOf(device, has, only ? facts : {})),
  };
}

function chooseInflow(devices: readonly FlowDevice[], has: Has): ChosenSide | undefined {
  const rules = [
    { kind: 'water-meter', forward: 'water.volume', back: 'water.volumeReverse' },
    { kind: 'pump', forward: 'pump.volumeEstimate', back: undefined },
  ] as const;
  for (const { back, forward, kind } of rules) {
    const takers = devices.filter(
      (device) => device.kind === kind && (kind === 'water-meter' || has(device.id, forward)),
    );
    if (takers.length === 0) continue;
    if (!takers.every(({ id }) => has(id, forward))) return { by: 'counter', forward: [], back: [] };
    return {
      by: 'counter',
      forward: takers.map(({ id: device }) => ({ device, metric: forward })),
      back: takers.flatMap(({ id: device }) =>
        back !== undefined && has(device, back) ? { device, metric: back } : [],
      ),
    };
  }
  return undefined;
}

function tankOf(device: string, has: Has, { tankHeightM, tankVolumeM3 }: TankFacts): ChosenTank {
  if (has(device, 'tank.volume')) return { device, metric: 'tank.volume', m3PerUnit: 1 };
  if (has(device, 'tank.fill') && !has(device, 'tank.level'))
    return { device, metric: 'tank.fill', m3PerUnit: tankVolumeM3 === undefined ? null : tankVolumeM3 / 100 };
  const perM = tankVolumeM3 === undefined || tankHeightM === undefined ? null : tankVolumeM3 / tankHeightM;
  return { device, metric: 'tank.level', m3PerUnit: perM };
}
