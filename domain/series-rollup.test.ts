import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { CounterEvent } from './counter-event.js';
import { exactSum } from './exact-sum.js';
import { isMeasured, REASONS } from './quality.js';
import type { Value } from './reading.js';
import { combineWindows } from './rollup-combine.js';
import { lookBackMs, QUARTER_MS, type RollupJob, rollUpSeries, type WindowRollup } from './series-rollup.js';
import { dayWindow, monthWindow } from './window.js';

const T0 = Date.UTC(2026, 0, 15);
const MINUTE = 60_000;
const EVERY = 660_000;

interface Row {
  readonly at: number;
  readonly value: Value;
  readonly code: number;
}

const columnsOf = (rows: readonly Row[]) => ({
  times: rows.map(({ at }) => at),
  values: rows.map(({ value }) => value),
  codes: rows.map(({ code }) => code),
});

/** The rows that a store gives for a job. */
function given(rows: readonly Row[], job: RollupJob): Row[] {
  const from = job.from - lookBackMs(job);
  const before = rows.filter(({ at, code, value }) => at < from && value !== null && isMeasured(code)).slice(-1);
  return [...before, ...rows.filter(({ at }) => at >= from && at < job.to)];
}

const roll = (rows: readonly Row[], job: RollupJob): readonly WindowRollup[] =>
  rollUpSeries(columnsOf(given(rows, job)), job).windows;

const steps = fc.array(
  fc.oneof(
    { weight: 6, arbitrary: fc.constant(10_000) },
    { weight: 3, arbitrary: fc.integer({ min: 1, max: 700_000 }) },
    { weight: 1, arbitrary: fc.integer({ min: 1, max: 6 * 3_600_000 }) },
  ),
  { minLength: 1, maxLength: 120 },
);
const codes = fc.constantFrom(0, 0, 0, 0, REASONS.aggregated.code, REASONS.outOfRange.code, REASONS.timeout.code);

function rowsOf(value: fc.Arbitrary<Value>, stepMaxMs = Number.POSITIVE_INFINITY): fc.Arbitrary<Row[]> {
  return steps.chain((all) =>
    fc.tuple(...all.map(() => fc.tuple(value, codes))).map((cells) => {
      let at = T0;
      return all.map((step, i) => {
        at += Math.min(step, stepMaxMs);
        const [one, code] = cells[i]!;
        return { at, value: code >= 32 ? null : one, code };
      });
    }),
  );
}

const tenths = fc.integer({ min: -1000, max: 1000 }).map((n) => n / 10);
/** A register that counts on, with single readings that are wrong. */
const counterRows = rowsOf(fc.constant(0), 700_000).chain((rows) =>
  fc.tuple(...rows.map(() => fc.tuple(fc.nat(50), fc.nat(60)))).map((all) => {
    let register = 123_456;
    return rows.map((row, i) => {
      const [step, fault] = all[i]!;
      register += step;
      const told = fault === 0 ? 0 : register;
      return row.value === null ? row : { ...row, value: told / 10 };
    });
  }),
);

const kinds = fc.oneof(
  fc.record({ kind: fc.constant('gauge' as const), rows: rowsOf(tenths) }),
  fc.record({ kind: fc.constant('state' as const), rows: rowsOf(fc.constantFrom('on', 'off', '__proto__')) }),
  fc.record({ kind: fc.constant('counter' as const), rows: counterRows }),
);

function jobOf(kind: RollupJob['kind'], from: number, quarters: number): RollupJob {
  return { kind, from, to: from + quarters * QUARTER_MS, bucketMs: QUARTER_MS, expectedEveryMs: EVERY };
}

describe('rollups of a series', () => {
  test('of jobs side by side are those of one job over all of them', () => {
    fc.assert(
      fc.property(kinds, fc.array(fc.integer({ min: 1, max: 12 }), { minLength: 1, maxLength: 8 }), (one, cuts) => {
        const whole = roll(one.rows, jobOf(one.kind, T0, exactSum(cuts)));
        let from = T0;
        const parts = cuts.flatMap((quarters) => {
          const part = roll(one.rows, jobOf(one.kind, from, quarters));
          from += quarters * QUARTER_MS;
          return [...part];
        });
        expect(parts).toEqual(whole);
      }),
      { numRuns: 300 },
    );
  });

  test('are the same whether worked out for a long window or combined from the short ones in it', () => {
    fc.assert(
      fc.property(kinds, fc.integer({ min: 1, max: 40 }), ({ kind, rows }, quarters) => {
        const window = { from: T0, to: T0 + quarters * QUARTER_MS };
        const short = roll(rows, jobOf(kind, T0, quarters));
        const [long] = roll(rows, { ...jobOf(kind, T0, quarters), bucketMs: quarters * QUARTER_MS });
        const combined = combineWindows(short, window, kind);
        if (long === undefined || combined === undefined) {
          expect(combined).toBe(long);
          return;
        }
        expect(combined.count).toBe(long.count);
        expect(combined.coverage).toBeCloseTo(long.coverage, 9);
        if (combined.kind === 'gauge' && long.kind === 'gauge') {
          expect([combined.min, combined.max, combined.first, combined.last]).toEqual([
            long.min,
            long.max,
            long.first,
            long.last,
          ]);
          expect(combined.mean ?? 1e9).toBeCloseTo(long.mean ?? 1e9, 9);
        } else if (combined.kind === 'state' && long.kind === 'state') {
          expect(combined.timeInMs).toEqual(long.timeInMs);
          expect([combined.first, combined.last]).toEqual([long.first, long.last]);
        } else if (combined.kind === 'counter' && long.kind === 'counter') {
          expect([combined.increase, combined.first, combined.last]).toEqual([long.increase, long.first, long.last]);
        }
      }),
      { numRuns: 300 },
    );
  });

  test('combine in any grouping to the same', () => {
    fc.assert(
      fc.property(kinds, fc.integer({ min: 2, max: 24 }), fc.nat(), ({ kind, rows }, quarters, cut) => {
        const all = roll(rows, jobOf(kind, T0, quarters));
        const end = T0 + quarters * QUARTER_MS;
        const middle = T0 + (1 + (cut % (quarters - 1))) * QUARTER_MS;
        const halves = [
          { from: T0, to: middle },
          { from: middle, to: end },
        ].flatMap((window) => {
          const inside = all.filter(({ from }) => from >= window.from && from < window.to);
          return combineWindows(inside, window, kind) ?? [];
        });
        const [direct, twice] = [all, halves].map((parts) => combineWindows(parts, { from: T0, to: end }, kind));
        if (direct?.kind === 'gauge' && twice?.kind === 'gauge' && direct.mean !== null && twice.mean !== null)
          expect(twice.mean).toBeCloseTo(direct.mean, 9);
        expect(twice && { ...twice, mean: 0, coverage: Math.round(twice.coverage * 1e9) }).toEqual(
          direct && { ...direct, mean: 0, coverage: Math.round(direct.coverage * 1e9) },
        );
      }),
    );
  });

  test('weigh a gauge by the time that each value held, and know a gap', () => {
    const rows = [
      { at: T0, value: 10, code: 0 },
      { at: T0 + 5 * MINUTE, value: 40, code: 0 },
      { at: T0 + 6 * MINUTE, value: null, code: REASONS.timeout.code },
    ];
    expect(roll(rows, jobOf('gauge', T0, 2))).toEqual([
      {
        kind: 'gauge',
        from: T0,
        to: T0 + QUARTER_MS,
        count: 2,
        coverage: 6 / 15,
        min: 10,
        max: 40,
        mean: 15,
        first: 10,
        last: 40,
      },
    ]);
  });

  test('tell how long a state was what, from a value before the window on', () => {
    const rows = [
      { at: T0 - MINUTE, value: 'on', code: 0 },
      { at: T0 + 4 * MINUTE, value: 'off', code: 0 },
      { at: T0 + 10 * MINUTE, value: 'on', code: 0 },
    ];
    expect(roll(rows, jobOf('state', T0, 1))).toEqual([
      {
        kind: 'state',
        from: T0,
        to: T0 + QUARTER_MS,
        count: 2,
        coverage: 1,
        timeInMs: { on: 9 * MINUTE, off: 6 * MINUTE },
        first: 'on',
        last: 'on',
      },
    ]);
  });

  test('bridge a gap by the register: the total is right, and where a window begins inside the gap it says so', () => {
    const rows = [
      { at: T0, value: 100.1, code: 0 },
      { at: T0 + MINUTE, value: 100.2, code: 0 },
      { at: T0 + 50 * MINUTE, value: 103.3, code: 0 },
      { at: T0 + 51 * MINUTE, value: 103.4, code: 0 },
    ];
    const job = { ...jobOf('counter', T0, 4), expectedEveryMs: MINUTE };
    expect(roll(rows, job)).toMatchObject([
      { from: T0, increase: 0.1, estimated: false, coverage: 2 / 15 },
      { from: T0 + 3 * QUARTER_MS, increase: 3.2, estimated: true },
    ]);
  });
});

describe('a year of totals of a counter', () => {
  /** What befalls a register, at the index of a reading. The truth counts on through all of it. */
  const misfortune = fc.record({
    place: fc.integer({ min: 20, max: 8700 }),
    kind: fc.constantFrom('gap', 'zero', 'spike', 'torn', 'swap', 'decimal', 'dance'),
  });
  const HOUR = 3_600_000;
  const START = Date.UTC(2025, 0, 1) - 5 * HOUR;
  const ZONE = 'Asia/Dushanbe';

  interface Year {
    readonly rows: Row[];
    readonly events: CounterEvent[];
    readonly truth: number;
  }

  function yearOf(all: readonly { place: number; kind: string }[], rollover: boolean): Year {
    const at = new Map(all.map(({ kind, place }) => [place, kind]));
    const rows: Row[] = [];
    const events: CounterEvent[] = [];
    // In tenths, so that the truth is exact.
    const modulus = 1_000_000;
    let register = rollover ? modulus - 30_000 : 40_000;
    let truth = 0;
    let busy = 0;
    for (let i = 0; i < 8760; i += 1) {
      const time = START + i * HOUR;
      const step = i === 0 ? 0 : 3 + (i % 7);
      truth += step;
      register += step;
      if (rollover && register >= modulus) register -= modulus;
      busy -= 1;
      const kind = busy > 0 || i > 8700 ? undefined : at.get(i);
      if (kind !== undefined) busy = 12;
      let told: number | null = register;
      if (kind === 'gap') busy = 12;
      if (kind === 'zero') told = 0;
      if (kind === 'spike') told = register + 400_000;
      if (kind === 'torn') told = Math.max(0, register - 65_536);
      // Of a young register ten times as much is no wonder.
      if (kind === 'decimal' && register > 20_000) told = register * 10;
      if (kind === 'dance') told = register - 1;
      if (kind === 'swap' && !rollover) {
        events.push({ at: time - HOUR + MINUTE, kind: 'swap', closing: (register - step) / 10, opening: 500 });
        register = 5000 + step;
        told = register;
      }
      // A gap of half a day: the readings that follow a gap's start are missing.
      if (at.get(i - 1) === 'gap' || at.get(i - 5) === 'gap') told = null;
      rows.push({ at: time, value: told === null ? null : told / 10, code: told === null ? REASONS.timeout.code : 0 });
    }
    return { rows, events, truth: truth / 10 };
  }

  test('is right to the last digit after gaps, bad reads, a swap that is told, and a rollover', () => {
    fc.assert(
      fc.property(fc.array(misfortune, { maxLength: 12 }), fc.boolean(), fc.boolean(), (some, rollover, isRated) => {
        // Without a known rate nothing tells a jump ahead from a plant that ran.
        const all = isRated ? some : some.filter(({ kind }) => kind !== 'spike');
        const { events, rows, truth } = yearOf(all, rollover);
        const counter = {
          resolution: 0.1,
          ...(isRated && { ratePerSMax: 1 / 3600 }),
          ...(rollover && { modulus: 100_000 }),
          ...(events.length > 0 && { events }),
        };
        const columns = columnsOf(rows);
        const end = START + 8760 * HOUR;
        const job: RollupJob = {
          kind: 'counter',
          from: START,
          to: end,
          bucketMs: QUARTER_MS,
          expectedEveryMs: HOUR,
          counter,
        };
        const quarters = rollUpSeries(columns, job).windows;
        const days: WindowRollup[] = [];
        for (let day = dayWindow(START, ZONE); day.from < end; day = dayWindow(day.to, ZONE)) {
          const inside = quarters.filter(({ from }) => from >= day.from && from < day.to);
          const one = combineWindows(inside, day, 'counter');
          if (one !== undefined) days.push(one);
        }
        const months: WindowRollup[] = [];
        for (let month = monthWindow(START, ZONE); month.from < end; month = monthWindow(month.to, ZONE)) {
          const inside = days.filter(({ from }) => from >= month.from && from < month.to);
          const one = combineWindows(inside, month, 'counter');
          if (one !== undefined) months.push(one);
        }
        const year = combineWindows(months, { from: START, to: end }, 'counter');
        expect(year).toMatchObject({ kind: 'counter', increase: truth });
      }),
      { numRuns: 40 },
    );
  }, 30_000);
});
