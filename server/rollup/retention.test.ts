import { expect, test } from 'vitest';
import { failed, ok } from '#domain/result.js';
import { VirtualTime } from '#tests/support/virtual-time.js';
import type { Pruned, RetentionCuts } from '../ports.js';
import { createRetention, type Retention } from './retention.js';

const DAY = 86_400_000;
const HOUR = 3_600_000;
/** 20:00 in Dushanbe. */
const EVENING = Date.UTC(2026, 5, 21, 15);

function keep(store: Pruned, time: VirtualTime, oldestDay?: number): Retention {
  const retention = createRetention({
    store,
    retention: { rawDays: 400, quarterYears: 10 },
    marks: { oldestDay: () => oldestDay },
    zone: 'Asia/Dushanbe',
    clock: time,
    scheduler: time,
    log: { info() {}, warn() {}, error() {} },
  });
  retention.start();
  return retention;
}

function remember(time: VirtualTime): { store: Pruned; asked: { at: number; cuts: RetentionCuts }[] } {
  const asked: { at: number; cuts: RetentionCuts }[] = [];
  const prune: Pruned['prune'] = async (cuts) => {
    asked.push({ at: time.now(), cuts });
    return ok(3);
  };
  return { store: { prune }, asked };
}

test('what is too old goes an hour after the start, and each night at three', async () => {
  const time = new VirtualTime(EVENING);
  const { asked, store } = remember(time);
  const retention = keep(store, time);
  await time.advance(2 * DAY);
  expect(asked.map(({ at }) => at)).toEqual([EVENING + HOUR, EVENING + 7 * HOUR, EVENING + DAY + 7 * HOUR]);
  const [first] = asked;
  expect(first?.cuts.raw).toBe(EVENING + HOUR - 400 * DAY);
  expect(first?.cuts.quarter).toBe(EVENING + HOUR - 3652.5 * DAY);
  expect(retention.counters()).toMatchObject({ prunes: 3, pruned: 9, pruneFaults: 0, prunesHeldByMarks: 0 });
  await retention.stop();
});

test('points of a marked day stay, and the day before it', async () => {
  const time = new VirtualTime(EVENING);
  const { asked, store } = remember(time);
  const marked = Math.floor(EVENING / DAY) - 500;
  const retention = keep(store, time, marked);
  await time.advance(HOUR);
  expect(asked[0]?.cuts.raw).toBe((marked - 1) * DAY);
  expect(retention.counters().prunesHeldByMarks).toBe(1);
  await retention.stop();
});

test('a store that fails is asked again within the hour', async () => {
  const time = new VirtualTime(EVENING);
  let fails = true;
  const retention = keep(
    { prune: async () => (fails ? failed({ code: 'STORE_UNAVAILABLE', message: 'locked' }) : ok(0)) },
    time,
  );
  await time.advance(HOUR);
  fails = false;
  await time.advance(HOUR);
  expect(retention.counters()).toMatchObject({ prunes: 1, pruneFaults: 1 });
  await retention.stop();
});
