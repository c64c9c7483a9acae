import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { codeOf, type Reason } from './quality.js';
import { bucketGauge, gapPartsOf, gapsOf, rollCounter, rollGauge, type SeriesPoint } from './rollup.js';

const GOOD = 0;
const point = (at: number, value: number): SeriesPoint => ({ at, value, code: GOOD });
const bad = (at: number, reason: Reason, value: number | null = null): SeriesPoint => ({
  at,
  value,
  code: codeOf(reason),
});
const window = { from: 0, to: 1000 };

describe('a gauge in a window', () => {
  test('has a mean weighted by the time that each value held', () => {
    const rollup = rollGauge([point(0, 10), point(900, 20)], window, 1000);
    expect(rollup).toEqual({ count: 2, min: 10, max: 20, mean: 11, first: 10, last: 20, coverage: 1 });
  });

  test('that did not move is known without a single point inside', () => {
    const rollup = rollGauge([point(-100, 7)], window, 1000);
    expect(rollup).toEqual({ count: 0, min: 7, max: 7, mean: 7, first: 7, last: 7, coverage: 1 });
  });

  test('of which nothing is known has no value at all, not zero', () => {
    const nothing = { count: 0, min: null, max: null, mean: null, first: null, last: null, coverage: 0 };
    expect(rollGauge([], window, 100)).toEqual(nothing);
    expect(rollGauge([point(-300, 7)], window, 100)).toEqual(nothing);
    expect(rollGauge([bad(0, 'timeout')], window, 100)).toEqual(nothing);
  });

  test('is bridged over one late sample and not over two', () => {
    expect(rollGauge([point(0, 1), point(250, 1), point(500, 1), point(750, 1)], window, 100).coverage).toBe(1);
    // After the first the next is due at 100; it came at 251, so nothing is known in between.
    const late = rollGauge([point(0, 1), point(251, 1)], { from: 0, to: 300 }, 100);
    expect(late.coverage).toBeCloseTo((100 + 49) / 300, 12);
  });

  test('holds its last value beyond the last sample only as long as its heartbeat promised', () => {
    expect(rollGauge([point(0, 1)], { from: 0, to: 250 }, 100).coverage).toBe(1);
    expect(rollGauge([point(0, 1)], { from: 0, to: 400 }, 100).coverage).toBe(0.25);
  });

  test('ends its hold at once when a reading says that it is no longer known', () => {
    const rollup = rollGauge([point(0, 10), bad(100, 'timeout'), point(600, 20)], window, 1000);
    expect(rollup).toMatchObject({ count: 2, mean: (10 * 100 + 20 * 400) / 500, coverage: 0.5 });
  });

  test('does not count a doubted value, but the mean of good ones that a full outbox left', () => {
    expect(rollGauge([bad(0, 'frozen', 5)], window, 1000).mean).toBeNull();
    expect(rollGauge([bad(0, 'aggregated', 5)], window, 1000).mean).toBe(5);
    expect(rollGauge([{ at: 0, value: 5, code: 31 }], window, 1000).mean).toBeNull();
    expect(rollGauge([point(0, Number.NaN)], window, 1000).mean).toBeNull();
  });

  test('ignores what came before or after', () => {
    const rollup = rollGauge([point(-50, 99), point(0, 5), point(1000, 77)], window, 1000);
    expect(rollup).toMatchObject({ count: 1, min: 5, max: 5, mean: 5, last: 5 });
  });
});

const reasons = fc.constantFrom<Reason>('good', 'good', 'good', 'aggregated', 'frozen', 'timeout', 'asleep');
const series = fc
  .array(fc.tuple(fc.integer({ min: -2000, max: 3000 }), fc.double({ min: -1e6, max: 1e6, noNaN: true }), reasons))
  .map((rows): SeriesPoint[] => {
    const byTime = new Map(rows.map((row) => [row[0], row]));
    return [...byTime.values()]
      .sort(([left], [right]) => left - right)
      .map(([at, value, reason]) => ({ at, value: codeOf(reason) < 32 ? value : null, code: codeOf(reason) }));
  });
const windows = fc
  .tuple(fc.integer({ min: -1000, max: 1000 }), fc.integer({ min: 1, max: 2000 }))
  .map(([from, length]) => ({ from, to: from + length }));
const periods = fc.integer({ min: 1, max: 1500 });

describe('whatever the series', () => {
  test('coverage lies between none and all, and the mean between the extremes', () => {
    fc.assert(
      fc.property(series, windows, periods, (points, someWindow, every) => {
        const { coverage, min, mean, max } = rollGauge(points, someWindow, every);
        expect(coverage).toBeGreaterThanOrEqual(0);
        expect(coverage).toBeLessThanOrEqual(1);
        expect(mean === null).toBe(coverage === 0);
        if (min === null || mean === null || max === null) return;
        expect(mean).toBeGreaterThanOrEqual(min);
        expect(mean).toBeLessThanOrEqual(max);
        const counter = rollCounter(points, someWindow, {}, every);
        expect(counter.coverage).toBe(coverage);
        expect(counter.increase ?? 0).toBeGreaterThanOrEqual(0);
      }),
      { numRuns: 500 },
    );
  });

  test('gaps and coverage make up the window', () => {
    fc.assert(
      fc.property(series, windows, periods, (points, someWindow, every) => {
        const gaps = gapsOf(points, someWindow, every);
        const missing = gaps.reduce((sum, [from, to]) => sum + to - from, 0);
        const length = someWindow.to - someWindow.from;
        expect(missing / length + rollGauge(points, someWindow, every).coverage).toBeCloseTo(1, 9);
        let end = someWindow.from - 1;
        for (const [from, to] of gaps) {
          expect(from).toBeGreaterThan(end);
          expect(to).toBeGreaterThan(from);
          end = to;
        }
        expect(end).toBeLessThanOrEqual(someWindow.to);
      }),
      { numRuns: 500 },
    );
  });

  test('the parts of the gaps make up the gaps, each of one cause', () => {
    fc.assert(
      fc.property(series, windows, periods, (points, someWindow, every) => {
        const joined: [number, number][] = [];
        let before: { to: number; code: number | null } | undefined;
        for (const { from, to, code } of gapPartsOf(points, someWindow, every)) {
          expect(to).toBeGreaterThan(from);
          expect(before?.to === from && before.code === code).toBe(false);
          if (code !== null) expect(points.findLast(({ at }) => at <= from)?.code).toBe(code);
          const last = joined.at(-1);
          if (last?.[1] === from) last[1] = to;
          else joined.push([from, to]);
          before = { to, code };
        }
        const gaps: [number, number][] = [];
        for (const gap of gapsOf(points, someWindow, every))
          if (gaps.at(-1)?.[1] === gap[0]) gaps[gaps.length - 1] = [gaps.at(-1)?.[0] ?? 0, gap[1]];
          else gaps.push(gap);
        expect(joined).toEqual(gaps);
      }),
      { numRuns: 500 },
    );
  });

  test('each bucket says what the rollup of its own window says', () => {
    fc.assert(
      fc.property(
        series,
        windows,
        periods,
        fc.integer({ min: 50, max: 3000 }),
        (points, someWindow, every, bucketMs) => {
          // A point behind the window bounds the last hold in both.
          const closed = [...points.filter(({ at }) => at < someWindow.to), point(someWindow.to, 0)];
          const buckets = bucketGauge(closed, someWindow, bucketMs, every);
          expect(buckets).toHaveLength(Math.ceil((someWindow.to - someWindow.from) / bucketMs));
          for (const { at, rollup } of buckets) {
            const bucket = { from: at, to: Math.min(at + bucketMs, someWindow.to) };
            expect(rollup).toEqual(rollGauge(closed, bucket, every));
          }
        },
      ),
      { numRuns: 500 },
    );
  });
});

test('gaps are told in the order of time, the running one last', () => {
  const points = [point(100, 1), point(200, 1), point(600, 1), bad(650, 'timeout'), point(700, 1)];
  expect(gapsOf(points, { from: 0, to: 1200 }, 100)).toEqual([
    [0, 100],
    [300, 600],
    [650, 700],
    [800, 1200],
  ]);
});

test('a gap is cut where its cause changes, and is without a cause where nothing was recorded', () => {
  const points = [
    point(0, 1),
    bad(100, 'timeout'),
    bad(200, 'timeout'),
    bad(300, 'disconnected'),
    point(900, 1),
    bad(1000, 'frozen'),
    point(1050, 1),
  ];
  const code = codeOf;
  expect(gapPartsOf(points, { from: 0, to: 1500 }, 100)).toEqual([
    { from: 100, to: 300, code: code('timeout') },
    { from: 300, to: 400, code: code('disconnected') },
    { from: 400, to: 900, code: null },
    { from: 1000, to: 1050, code: code('frozen') },
    { from: 1150, to: 1500, code: null },
  ]);
});

test('what expired from the outbox is missing until the next point, however late that is', () => {
  const points = [point(0, 1), bad(100, 'expired'), point(9000, 1)];
  const expired = codeOf('expired');
  expect(gapPartsOf(points, { from: 0, to: 9050 }, 100)).toEqual([{ from: 100, to: 9000, code: expired }]);
  expect(gapPartsOf(points, { from: 5000, to: 9050 }, 100)).toEqual([{ from: 5000, to: 9000, code: expired }]);
});

describe('a counter in a window', () => {
  const spec = { ratePerSMax: 1000 };

  test('gives the increase from the last point before the window', () => {
    const rollup = rollCounter([point(-50, 100), point(0, 101), point(500, 140), point(990, 150)], window, spec, 500);
    expect(rollup).toEqual({ increase: 50, coverage: 1, estimated: false, events: [] });
  });

  test('knows nothing from one reading alone', () => {
    expect(rollCounter([point(500, 140)], window, spec, 500)).toMatchObject({ increase: null, coverage: 0.5 });
    expect(rollCounter([point(-1, 140)], window, spec, 500)).toMatchObject({ increase: null });
    expect(rollCounter([], window, spec, 500)).toEqual({ increase: null, coverage: 0, estimated: false, events: [] });
  });

  test('that stood still has increased by zero, which is something else than nothing', () => {
    expect(rollCounter([point(-1, 140), point(999, 140)], window, spec, 1000).increase).toBe(0);
  });

  test('is right over a gap inside the window, and only coverage tells', () => {
    const rollup = rollCounter([point(0, 100), point(100, 110), point(900, 190), point(999, 199)], window, spec, 100);
    expect(rollup).toMatchObject({ increase: 99, estimated: false });
    expect(rollup.coverage).toBeCloseTo(0.3, 9);
  });

  test('is estimated where the window begins inside a gap', () => {
    const rollup = rollCounter([point(-500, 100), point(900, 190), point(999, 199)], window, spec, 100);
    expect(rollup).toMatchObject({ increase: 99, estimated: true });
  });

  test('bridges readings that are not good without counting their time', () => {
    const points = [point(0, 100), bad(400, 'timeout'), bad(500, 'outOfRange', 7e9), point(600, 160)];
    expect(rollCounter(points, window, spec, 1000)).toMatchObject({ increase: 60, coverage: 0.8, estimated: false });
  });

  test('tells rollover, reset and jump, each once and at its time', () => {
    const values = [65_500, 65_530, 10, 20, 5, 15, 9000, 9010, 9020];
    const rollup = rollCounter(
      values.map((value, index) => point(index * 100, value)),
      window,
      { modulus: 65_536, ratePerSMax: 300 },
      100,
    );
    // 30, over the top 16, 10, from zero 15, and behind the jump 20.
    expect(rollup.increase).toBe(91);
    expect(rollup.estimated).toBe(true);
    expect(rollup.events).toEqual([
      { at: 200, kind: 'rollover' },
      { at: 400, kind: 'reset' },
      { at: 600, kind: 'tooFast' },
    ]);
  });

  test('that ends in doubt says so', () => {
    const rollup = rollCounter([point(0, 100), point(500, 7e9)], window, spec, 500);
    expect(rollup).toMatchObject({ increase: null, estimated: true, events: [{ at: 500, kind: 'tooFast' }] });
  });

  test('adds up over windows side by side, whatever gaps there are', () => {
    const steps = fc.array(fc.tuple(fc.integer({ min: 1, max: 800 }), fc.nat(500)), { minLength: 2, maxLength: 40 });
    fc.assert(
      fc.property(steps, fc.integer({ min: 100, max: 5000 }), (rises, cut) => {
        let at = 0;
        let value = 0;
        const points = [point(0, 0)];
        for (const [elapsed, rise] of rises) {
          at += elapsed;
          value += rise;
          points.push(point(at, value));
        }
        const end = at + 1;
        const middle = Math.min(cut, end - 1);
        // As a store gives them: the window's points and the last one before it.
        const of = (from: number, to: number) => {
          const before = points.filter((one) => one.at < from).slice(-1);
          const inside = points.filter((one) => one.at >= from && one.at < to);
          return rollCounter([...before, ...inside], { from, to }, {}, 100).increase ?? 0;
        };
        expect(of(0, middle) + of(middle, end)).toBe(value);
      }),
      { numRuns: 500 },
    );
  });
});
