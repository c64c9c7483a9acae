import { describe, expect, test } from 'vitest';
import { VirtualTime } from '#tests/support/virtual-time.js';
import { DailyBudget } from './budget.js';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const MIDNIGHT = Date.UTC(2026, 0, 15);
const MB = 1_000_000;

function scene(dailyBytesMax: number | undefined = 10 * MB, startAt = MIDNIGHT) {
  const time = new VirtualTime(startAt);
  const kept = new Map<string, number>();
  const clock = { known: true };
  const open = () =>
    new DailyBudget({
      dailyBytesMax,
      clock: time,
      time: { now: () => (clock.known ? time.now() : undefined) },
      numbers: { number: (name) => kept.get(name), keepNumber: (name, value) => void kept.set(name, value) },
    });
  /** Live data at this rate for so long, as batches. */
  const live = async (budget: DailyBudget, bytesPerDay: number, forMs: number) => {
    for (let at = 0; at < forMs; at += 600_000) {
      budget.spend((bytesPerDay * 600_000) / DAY, 'live');
      await time.advance(600_000);
    }
  };
  return { time, kept, clock, open, live };
}

describe('a day’s bytes', () => {
  test('without a limit nothing stops and nothing is kept', () => {
    const one = new DailyBudget({
      clock: new VirtualTime(0),
      time: { now: () => 0 },
      numbers: {
        number: () => undefined,
        keepNumber: () => {
          throw new Error('kept');
        },
      },
    });
    one.spend(1e12, 'history');
    one.keep();
    expect([one.allowsHistory(), one.isSpent(), one.usedPercent()]).toEqual([true, false, 0]);
  });

  test('history stops when live data will need the rest, and goes on after midnight', async () => {
    const { time, open, live } = scene();
    const budget = open();
    await live(budget, 2 * MB, 6 * HOUR);
    // 0.5 of 10 MB is spent; about 1.6 more are needed: some 7.9 are history's.
    let history = 0;
    while (budget.allowsHistory()) {
      budget.spend(20_000, 'history');
      history += 20_000;
    }
    budget.holdHistory();
    budget.holdHistory();
    expect(history / MB).toBeGreaterThan(7);
    expect(history / MB).toBeLessThan(8);
    expect([budget.historyStops, budget.isSpent()]).toEqual([1, false]);
    await live(budget, 2 * MB, 17 * HOUR);
    expect(budget.isSpent()).toBe(false);
    await time.advance(HOUR);
    expect([budget.allowsHistory(), budget.usedPercent()]).toEqual([true, 0]);
  });

  test('what live data did not need after all is history’s', async () => {
    const { open, live } = scene();
    const budget = open();
    await live(budget, 20 * MB, 2 * HOUR);
    expect(budget.allowsHistory()).toBe(false);
    await live(budget, 1 * MB, 12 * HOUR);
    expect(budget.allowsHistory()).toBe(true);
  });

  test('a budget that is gone is said so, once a day', async () => {
    const { open, time } = scene(MB);
    const budget = open();
    for (let day = 0; day < 3; day += 1) {
      expect(budget.isSpent()).toBe(false);
      budget.spend(MB, 'live');
      expect([budget.isSpent(), budget.isSpent(), budget.usedPercent()]).toEqual([true, true, 100]);
      await time.advance(DAY);
    }
    expect(budget.liveStops).toBe(3);
  });
});

describe('over a restart', () => {
  test('the same day goes on, another begins anew', async () => {
    const { time, open } = scene();
    const before = open();
    before.spend(4 * MB, 'live');
    before.keep();
    await time.advance(HOUR);
    expect(open().usedPercent()).toBe(40);
    await time.advance(DAY);
    expect(open().usedPercent()).toBe(0);
  });

  test('without the time the sum counts as today’s, until the time tells', async () => {
    for (const [offMs, percent] of [
      [HOUR, 50],
      [DAY, 10],
    ] as const) {
      const { time, clock, open } = scene();
      const before = open();
      before.spend(4 * MB, 'live');
      before.keep();
      await time.advance(offMs);
      clock.known = false;
      const after = open();
      after.spend(MB, 'live');
      expect(after.usedPercent()).toBe(50);
      clock.known = true;
      expect(after.usedPercent()).toBe(percent);
    }
  });

  test('what live data takes is known from the day before', async () => {
    const { time, open, live } = scene();
    const before = open();
    await live(before, 9 * MB, 24 * HOUR);
    before.spend(0, 'live');
    before.keep();
    await time.advance(HOUR);
    const after = open();
    let history = 0;
    while (after.allowsHistory()) {
      after.spend(20_000, 'history');
      history += 20_000;
    }
    expect(history / MB).toBeLessThan(2);
  });
});

describe('clocks', () => {
  test('one that is set back over midnight does not begin the day anew; after a day of waiting it does', async () => {
    const { time, open } = scene(10 * MB, MIDNIGHT + HOUR);
    const budget = open();
    budget.spend(5 * MB, 'live');
    time.stepClock(-2 * HOUR);
    expect(budget.usedPercent()).toBe(50);
    time.stepClock(-30 * DAY);
    await time.advance(23 * HOUR);
    expect(budget.usedPercent()).toBe(50);
    await time.advance(HOUR);
    expect(budget.usedPercent()).toBe(0);
  });

  test('one that is unknown for days counts days of its own', async () => {
    const { time, clock, open } = scene();
    clock.known = false;
    const budget = open();
    budget.spend(5 * MB, 'live');
    await time.advance(DAY - 1);
    expect(budget.usedPercent()).toBe(50);
    await time.advance(1);
    expect(budget.usedPercent()).toBe(0);
  });
});
