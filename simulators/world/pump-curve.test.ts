import fc from 'fast-check';
import { Value } from 'typebox/value';
import { describe, expect, test } from 'vitest';
import { type PostSpec, PostSpecSchema } from './post-spec.js';
import { deadHead, fastestSpeed, leastSpeed, operatingPoint, runningDry } from './pump-curve.js';

const { pump } = Value.Parse(PostSpecSchema, Value.Default(PostSpecSchema, {})) as PostSpec;
const line = { staticHeadM: 45, friction: 2.4 };

describe('a borehole pump that lifts 45 m through 600 m of pipe', () => {
  // speed, m³/h, m, W, kWh/m³, W against a shut valve
  test.each([
    [1.0, 2.82, 64.1, 1320, 0.468, 873],
    [0.95, 2.486, 59.8, 1101, 0.443, 749],
    [0.9, 2.121, 55.8, 903, 0.426, 637],
    [0.85, 1.706, 52.0, 725, 0.425, 536],
    [0.8, 1.187, 48.4, 561, 0.473, 447],
    [0.76, 0.524, 45.7, 428, 0.817, 383],
  ])('at %f of its speed it does what the worked table says', (speed, flow, head, power, energy, shut) => {
    const point = operatingPoint(pump, line, speed);
    expect(point.flowM3h).toBeCloseTo(flow, 3);
    expect(point.headM).toBeCloseTo(head, 1);
    expect(Math.abs(point.powerW - power)).toBeLessThanOrEqual(1);
    expect(point.powerW / 1000 / point.flowM3h).toBeCloseTo(energy, 3);
    expect(Math.abs(deadHead(pump, speed).powerW - shut)).toBeLessThanOrEqual(1);
  });

  test.each([
    [4.8, 2.27, 69.7, 1224],
    [9.6, 1.74, 74.0, 1137],
    [0.3, 3.9, 49.6, 1547],
  ])('with friction %f the point moves along its curve', (friction, flow, head, power) => {
    const point = operatingPoint(pump, { ...line, friction }, 1);
    expect(point.flowM3h).toBeCloseTo(flow, 2);
    expect(point.headM).toBeCloseTo(head, 1);
    expect(Math.abs(point.powerW - power)).toBeLessThanOrEqual(1);
  });

  test.each([
    [0.95, 2.65, 0.486],
    [0.9, 2.48, 0.508],
    [0.85, 2.29, 0.537],
  ])('worn to %f of its head it needs more energy for each m³', (worn, flow, energy) => {
    const point = operatingPoint(pump, line, 1, worn);
    expect(point.flowM3h).toBeCloseTo(flow, 2);
    expect(point.powerW / 1000 / point.flowM3h).toBeCloseTo(energy, 3);
  });

  test('dry, it takes 393 W and gives neither head nor flow', () => {
    const point = runningDry(pump, 1);
    expect(Math.round(point.powerW)).toBe(393);
    expect([point.flowM3h, point.headM]).toEqual([0, 0]);
  });

  test('below three quarters of its speed it lifts nothing', () => {
    expect(leastSpeed(pump, 45)).toBeCloseTo(0.75, 3);
    expect(operatingPoint(pump, line, 0.74).flowM3h).toBe(0);
  });

  test('a solar drive finds the fastest speed that the sun can pay for', () => {
    fc.assert(
      fc.property(fc.double({ min: 0, max: 2000, noNaN: true }), (available) => {
        const speed = fastestSpeed(pump, line, available);
        if (speed > 0) expect(operatingPoint(pump, line, speed).powerW).toBeLessThanOrEqual(available);
        if (speed > 0 && speed < 1)
          expect(operatingPoint(pump, line, speed + 0.001).powerW).toBeGreaterThan(available - 1);
      }),
    );
  });
});
