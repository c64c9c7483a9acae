import { describe, expect, test } from 'vitest';
import type { RecordingRule } from '#domain/exception-rule.js';
import { goodReading, invalidReading, type Reading } from '#domain/reading.js';
import { RECORD_SAMPLES_MAX, Recorder, type RecorderOptions, type RecordingContext } from './recorder.js';

const NOON = Date.UTC(2026, 0, 15, 12);
const MINUTE = 60_000;
const rules = new Map<string, ReadonlyMap<string, RecordingRule>>([
  [
    'meter',
    new Map<string, RecordingRule>([
      ['load.power', { kind: 'gauge', deadband: 50, heartbeatMs: 5 * MINUTE, watch: { high: 4000 } }],
      ['load.energy', { kind: 'counter', heartbeatMs: 5 * MINUTE }],
      ['inverter.state', { kind: 'state', heartbeatMs: 5 * MINUTE }],
    ]),
  ],
]);
const now: RecordingContext = { stream: 'present', attended: false, offline: false };
const recorder = (more: Partial<RecorderOptions> = {}) =>
  new Recorder({ rules, batchPeriodMs: MINUTE, full: false, isTaken: () => false, ...more });
const poll = (at: number, ...readings: Reading[]) => [{ device: 'meter', at, readings }];
const metricsOf = (recording: { drafts: readonly { samples: readonly { metric: string }[] }[] }) =>
  recording.drafts.flatMap(({ samples }) => samples.map(({ metric }) => metric));
const energyAt = (at: number) => goodReading('load.energy', at / 1000, at);

describe('what becomes a sample', () => {
  test('a gauge that leaves its deadband, and not one that stays', () => {
    const one = recorder();
    const values = [1000, 1040, 960, 1051, 1010].map(
      (watts, i) =>
        metricsOf(one.take(poll(NOON + i * 1000, goodReading('load.power', watts, NOON + i * 1000)), now)).length,
    );
    expect(values).toEqual([1, 0, 0, 1, 0]);
  });

  test('a counter once per batch', () => {
    const one = recorder();
    const counts = Array.from(
      { length: 30 },
      (_, i) => metricsOf(one.take(poll(0, energyAt(NOON + i * 10_000)), now)).length,
    );
    expect(counts.reduce((a, b) => a + b)).toBe(5);
  });

  test('everything, while somebody attends or the post records in full', () => {
    const one = recorder();
    one.take(poll(NOON, goodReading('load.power', 1000, NOON)), now);
    const same = poll(NOON + 1, goodReading('load.power', 1000, NOON + 1), energyAt(NOON + 1));
    expect(metricsOf(one.take(same, { ...now, attended: true }))).toEqual(['load.power', 'load.energy']);
    const full = recorder({ full: true });
    full.take(poll(NOON, goodReading('load.power', 1000, NOON)), now);
    expect(metricsOf(full.take(poll(NOON, goodReading('load.power', 1000, NOON + 2)), now))).toEqual(['load.power']);
  });

  test('nothing that no profile declares: that is counted', () => {
    const one = recorder();
    expect(metricsOf(one.take(poll(NOON, goodReading('pv.power', 1, NOON)), now))).toEqual([]);
    expect(one.undeclared).toBe(1);
  });

  test('no reading half: what the wire cannot carry is invalid', () => {
    const one = recorder({ full: true });
    const bad = [Number.NaN, Number.POSITIVE_INFINITY].map((value, i) => goodReading('load.power', value, NOON + i));
    const long = goodReading('inverter.state', 'x'.repeat(2001), NOON);
    const none: Reading = { metric: 'load.energy', value: null, reason: 'good', at: NOON };
    const minus = goodReading('load.power', -0, NOON + 0.4);
    const samples = one.take(poll(NOON, ...bad, long, none, minus), now).drafts[0]?.samples ?? [];
    expect(samples.slice(0, 4).every(({ value, reason }) => value === null && reason === 'impossible')).toBe(true);
    expect(Object.is(samples[4]?.value, 0)).toBe(true);
    expect(samples[4]?.at).toBe(NOON);
  });
});

describe('what cannot wait for the batch', () => {
  const state = (word: string, at: number) => goodReading('inverter.state', word, at);

  test('a changed state, a changed quality, a crossed watch limit', () => {
    const one = recorder();
    const take = (at: number, ...readings: Reading[]) => one.take(poll(at, ...readings), now).urgent;
    expect(take(NOON, state('on', NOON), goodReading('load.power', 1000, NOON))).toBe(false);
    expect(take(NOON + 1, state('on', NOON + 1), goodReading('load.power', 2000, NOON + 1))).toBe(false);
    expect(take(NOON + 2, state('fault', NOON + 2))).toBe(true);
    expect(take(NOON + 3, invalidReading('load.power', 'timeout', NOON + 3))).toBe(true);
    expect(take(NOON + 4, goodReading('load.power', 1000, NOON + 4))).toBe(true);
    expect(take(NOON + 5, goodReading('load.power', 4500, NOON + 5))).toBe(true);
  });

  test('nothing of the past is urgent', () => {
    const one = recorder();
    const past: RecordingContext = { ...now, stream: 'past' };
    one.take(poll(NOON, state('on', NOON)), past);
    expect(one.take(poll(NOON + 1, state('fault', NOON + 1)), past).urgent).toBe(false);
  });
});

describe('streams and times', () => {
  test('past and present do not disturb each other', () => {
    const one = recorder();
    const power = (watts: number, at: number) => poll(at, goodReading('load.power', watts, at));
    one.take(power(1000, NOON), now);
    expect(metricsOf(one.take(power(200, NOON - 1000), { ...now, stream: 'past' }))).toHaveLength(1);
    expect(metricsOf(one.take(power(1010, NOON + 1000), now))).toEqual([]);
    const { drafts } = one.take(power(300, NOON), { ...now, stream: 'past' });
    expect(drafts).toMatchObject([{ offline: true }]);
    expect(one.snapshot(NOON, now)).toMatchObject([{ samples: [{ value: 1010 }] }]);
  });

  test('a time that the device already has a sample of moves by a millisecond', () => {
    const taken = new Set([NOON, NOON + 1]);
    const one = recorder({ full: true, isTaken: (_device, at) => taken.has(at) });
    const { drafts } = one.take([...poll(NOON, energyAt(NOON)), ...poll(NOON, energyAt(NOON))], now);
    expect(drafts.map(({ samples }) => samples[0]?.at)).toEqual([NOON + 2, NOON + 3]);
  });

  test('a snapshot has the last readings with their own source times, recorded or not', () => {
    const one = recorder();
    expect(one.snapshot(NOON, now)).toEqual([]);
    one.take(poll(NOON, goodReading('load.power', 1000, NOON), energyAt(NOON)), now);
    one.take(poll(NOON + 10, goodReading('load.power', 1020, NOON + 10)), now);
    const [draft] = one.snapshot(NOON + 99, now);
    expect(draft).toMatchObject({ at: NOON + 99, offline: false });
    expect(draft?.samples.map(({ metric, value, at }) => [metric, value, at])).toEqual([
      ['load.power', 1020, NOON + 10],
      ['load.energy', NOON / 1000, NOON],
    ]);
    // The server has 1020 now: the deadband counts from there.
    expect(metricsOf(one.take(poll(NOON + 20, goodReading('load.power', 1060, NOON + 20)), now))).toEqual([]);
  });

  test('in unknown time drafts bear their boot; learnt, the memory moves along', () => {
    const one = recorder();
    const { drafts } = one.take(poll(5000, goodReading('load.power', 1000, 5000)), { ...now, boot: 'b1' });
    expect(drafts).toMatchObject([{ boot: 'b1', at: 5000 }]);
    one.learnTime(NOON - 5000);
    one.learnTime(NOON);
    expect(one.snapshot(NOON, now)[0]?.samples[0]?.at).toBe(NOON);
    const later = poll(NOON + MINUTE, goodReading('load.power', 1000, NOON + MINUTE));
    expect(metricsOf(one.take(later, now))).toEqual([]);
  });

  test('a record is never larger than a payload can be', () => {
    const many = new Map(Array.from({ length: 2500 }, (_, i) => [`m${i}`, { kind: 'gauge' as const, heartbeatMs: 1 }]));
    const one = recorder({ rules: new Map([['meter', many]]) });
    const readings = [...many.keys()].map((metric) => goodReading(metric, 1, NOON));
    const sizes = one.take(poll(NOON, ...readings), now).drafts.map(({ samples }) => samples.length);
    expect(sizes).toEqual([RECORD_SAMPLES_MAX, RECORD_SAMPLES_MAX, 500]);
  });
});
