// The books of a simulated post: what a step must not lose or make. For any spec, any fault, any length of step.
import { socOf } from '#simulators/world/battery.js';
import type { PostState } from '#simulators/world/post.js';
import type { PostSpec } from '#simulators/world/post-spec.js';

/** Relative to the size of what is counted. */
const TOLERANCE = 1e-9;

/** Everything that does not balance in a step, in words. */
export function bookFaults(spec: PostSpec, before: PostState, after: PostState): string[] {
  return [...energyFaults(spec, before, after), ...waterFaults(before, after)];
}

function energyFaults(spec: PostSpec, before: PostState, after: PostState): string[] {
  const { pvW, gensetW, gridW, batteryW, loadW } = after.inverter.dispatch;
  const size = Math.max(1, pvW, gensetW, gridW, Math.abs(batteryW), loadW);
  const given = (batteryW * (after.at - before.at)) / 3_600_000;
  const lost = after.battery.lossWh - before.battery.lossWh;
  const forced = after.battery.forcedWh - before.battery.forcedWh;
  const stored = after.battery.energyWh - before.battery.energyWh;
  const soc = socOf(after.battery);
  return [
    ...off('the bus', pvW + gensetW + gridW + batteryW - loadW, size),
    ...off('the battery', stored + given + lost - forced, spec.battery.capacityWh),
    ...negative({ pvW, gensetW, gridW, loadW, lost, soc, unused: after.pvAvailableW - pvW, full: 100 - soc }),
  ];
}

function waterFaults(before: PostState, after: PostState): string[] {
  const { pumpedM3, lineLostM3, inM3, drawnM3, leakedM3, overflowM3, returnedM3, volumeM3 } = after.water;
  const change = after.tank.volumeM3 - before.tank.volumeM3;
  const out = lineLostM3 + drawnM3 + leakedM3 + overflowM3 + returnedM3;
  return [
    ...off('the tank', change - (pumpedM3 - out), 10),
    ...off('the line', pumpedM3 - lineLostM3 - inM3, 1),
    ...off('the tank and its step', volumeM3 - after.tank.volumeM3, 1),
    ...negative({ pumpedM3, inM3, drawnM3, leakedM3, overflowM3, returnedM3, volumeM3 }),
  ];
}

function off(what: string, difference: number, size: number): string[] {
  const share = Math.abs(difference) / size;
  return share < TOLERANCE ? [] : [`${what} is off by ${share} of ${size}`];
}

function negative(values: Readonly<Record<string, number>>): string[] {
  return Object.entries(values)
    .filter(([, value]) => !(value >= -1e-6))
    .map(([name, value]) => `${name} is ${value}`);
}
