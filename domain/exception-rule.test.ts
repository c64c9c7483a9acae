import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isSample, isUrgent, type RecordingRule } from './exception-rule.js';
import type { Reason } from './quality.js';
import { goodReading, invalidReading, type Reading } from './reading.js';

const voltage: RecordingRule = { kind: 'gauge', deadband: 0.5, heartbeatMs: 900_000 };
const live = { full: false, counterDue: false };
const gauge = (value: number, at = 1000): Reading => goodReading('ac.voltage', value, at);
const last = gauge(230, 0);

describe('a gauge', () => {
  test('that did not leave its deadband is not recorded', () => {
    expect(isSample(voltage, last, gauge(230.4), live)).toBe(false);
    expect(isSample(voltage, last, gauge(229.6), live)).toBe(false);
  });

  test('exactly on the edge of its deadband is still inside, whatever binary fractions say', () => {
    expect(isSample(voltage, last, gauge(230.5), live)).toBe(false);
    expect(isSample({ ...voltage, deadband: 0.1 }, gauge(20.2, 0), gauge(20.3), live)).toBe(false);
    expect(isSample({ ...voltage, deadband: 0.1 }, gauge(20.2, 0), gauge(20.31), live)).toBe(true);
  });

  test('that left its deadband is recorded', () => {
    expect(isSample(voltage, last, gauge(230.6), live)).toBe(true);
    expect(isSample(voltage, last, gauge(229.4), live)).toBe(true);
  });

  test('without a deadband is recorded at every change', () => {
    const rule: RecordingRule = { kind: 'gauge', heartbeatMs: 900_000 };
    expect(isSample(rule, last, gauge(230.000001), live)).toBe(true);
    expect(isSample(rule, last, gauge(230), live)).toBe(false);
  });

  test('that never moves is recorded when its heartbeat is due', () => {
    expect(isSample(voltage, last, gauge(230, 899_999), live)).toBe(false);
    expect(isSample(voltage, last, gauge(230, 900_000), live)).toBe(true);
  });

  test('is recorded when the clock was set back behind its last sample', () => {
    expect(isSample(voltage, gauge(230, 5000), gauge(230, 4000), live)).toBe(true);
  });

  test('that creeps is measured from its last sample, so the store is never further off than the deadband', () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: -0.4, max: 0.4, noNaN: true }), { maxLength: 100 }), (steps) => {
        let value = 230;
        let stored = gauge(value, 0);
        for (const [index, step] of steps.entries()) {
          value += step;
          const reading = gauge(value, index + 1);
          if (isSample(voltage, stored, reading, live)) stored = reading;
          expect(Math.abs(value - Number(stored.value))).toBeLessThanOrEqual(0.5 + 1e-9);
        }
      }),
    );
  });
});

describe('whatever its kind', () => {
  test.each(['gauge', 'counter', 'state', 'text'] as const)('the first reading of a %s is recorded', (kind) => {
    expect(isSample({ kind, heartbeatMs: 1 }, undefined, gauge(1), live)).toBe(true);
  });

  test.each(['gauge', 'counter', 'state', 'text'] as const)('a %s is recorded when its reason changes', (kind) => {
    const rule: RecordingRule = { kind, deadband: 1000, heartbeatMs: 900_000 };
    expect(isSample(rule, last, invalidReading('ac.voltage', 'timeout', 1000), live)).toBe(true);
    expect(isSample(rule, last, { ...last, reason: 'stale', at: 1000 }, live)).toBe(true);
    const silent = invalidReading('ac.voltage', 'timeout', 1000);
    expect(isSample(rule, silent, { ...silent, at: 2000 }, live)).toBe(false);
    expect(isSample(rule, silent, invalidReading('ac.voltage', 'exception', 2000), live)).toBe(true);
    expect(isSample(rule, silent, gauge(230, 2000), live)).toBe(true);
  });

  test.each(['gauge', 'counter', 'state', 'text'] as const)('every %s is recorded while somebody attends', (kind) => {
    expect(isSample({ kind, heartbeatMs: 900_000 }, last, { ...last, at: 1 }, { full: true, counterDue: false })).toBe(
      true,
    );
  });
});

describe('a counter', () => {
  const energy: RecordingRule = { kind: 'counter', heartbeatMs: 900_000 };

  test('is recorded once per batch, not at every change', () => {
    expect(isSample(energy, last, gauge(231), live)).toBe(false);
    expect(isSample(energy, last, gauge(230), { full: false, counterDue: true })).toBe(true);
  });

  test('is never urgent', () => {
    expect(isUrgent(energy, last, gauge(1e9))).toBe(false);
  });
});

describe('a state', () => {
  const state: RecordingRule = { kind: 'state', heartbeatMs: 900_000 };
  const running = goodReading('inverter.state', 'running', 0);

  test('is recorded and urgent when it changes, and only then', () => {
    const fault = goodReading('inverter.state', 'fault', 1000);
    expect(isSample(state, running, fault, live)).toBe(true);
    expect(isUrgent(state, running, fault)).toBe(true);
    expect(isSample(state, running, { ...running, at: 1000 }, live)).toBe(false);
    expect(isUrgent(state, running, { ...running, at: 1000 })).toBe(false);
  });

  test('a text is recorded when it changes, without hurry', () => {
    const text: RecordingRule = { kind: 'text', heartbeatMs: 900_000 };
    const changed = goodReading('device.firmware', '1.1', 1000);
    expect(isSample(text, goodReading('device.firmware', '1.0', 0), changed, live)).toBe(true);
    expect(isUrgent(text, goodReading('device.firmware', '1.0', 0), changed)).toBe(false);
  });
});

describe('a watch limit', () => {
  const soc: RecordingRule = { kind: 'gauge', deadband: 2, heartbeatMs: 900_000, watch: { low: 20, high: 98 } };

  test('crossed outwards is recorded and urgent, even inside the deadband', () => {
    for (const [from, to] of [
      [20.5, 19.9],
      [97.9, 98.1],
      [50, 10],
      [10, 99],
    ] as const) {
      expect(isSample(soc, gauge(from, 0), gauge(to), live)).toBe(true);
      expect(isUrgent(soc, gauge(from, 0), gauge(to))).toBe(true);
    }
  });

  test('crossed inwards waits for the deadband, so that dancing on the limit does not send at every poll', () => {
    expect(isSample(soc, gauge(19.9, 0), gauge(20.1), live)).toBe(false);
    expect(isUrgent(soc, gauge(19.9, 0), gauge(20.1))).toBe(false);
    expect(isUrgent(soc, gauge(19.9, 0), gauge(22))).toBe(true);
    let stored = gauge(20.5, 0);
    let samples = 0;
    for (let poll = 1; poll <= 100; poll += 1) {
      const reading = gauge(poll % 2 === 0 ? 20.1 : 19.9, poll);
      if (!isSample(soc, stored, reading, live)) continue;
      stored = reading;
      samples += 1;
    }
    expect(samples).toBe(1);
  });

  test('makes the first reading of all urgent only when it lies outside', () => {
    expect(isUrgent(soc, undefined, gauge(10))).toBe(true);
    expect(isUrgent(soc, undefined, gauge(50))).toBe(false);
  });
});

test('whatever is urgent is also recorded', () => {
  const kinds = fc.constantFrom('gauge', 'counter', 'state', 'text') as fc.Arbitrary<RecordingRule['kind']>;
  const reasons = fc.constantFrom<Reason>('good', 'stale', 'timeout');
  const reading = fc
    .tuple(reasons, fc.integer({ min: 0, max: 10 }), fc.integer({ min: 0, max: 100 }))
    .map(([reason, value, at]): Reading => ({ metric: 'x', reason, value: reason === 'timeout' ? null : value, at }));
  const rule = fc.record(
    {
      kind: kinds,
      heartbeatMs: fc.constantFrom(50, 1e9),
      deadband: fc.integer({ min: 0, max: 5 }),
      watch: fc.record({ low: fc.integer({ min: 0, max: 5 }), high: fc.integer({ min: 5, max: 10 }) }),
    },
    { requiredKeys: ['kind', 'heartbeatMs'] },
  );
  fc.assert(
    fc.property(rule, fc.option(reading, { nil: undefined }), reading, (someRule, before, now) => {
      if (isUrgent(someRule, before, now)) expect(isSample(someRule, before, now, live)).toBe(true);
    }),
    { numRuns: 1000 },
  );
});
