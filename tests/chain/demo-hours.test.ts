import { describe, expect, test } from 'vitest';
import { startDemo } from '#cli/demo/run-demo.js';
import type { AlarmsResponse, FleetResponse, SeriesResponse } from '#contract/http.js';
import { fastTime } from '../support/fast-time.js';

const FACTOR = 15;
const MINUTE = 60_000;
const quiet = { info: () => {}, warn: () => {}, error: () => {} };

/** Local midnight and noon of the posts, in winter: Asia/Dushanbe is five hours ahead. */
const HOURS = [
  ['midnight', Date.UTC(2026, 0, 14, 19)],
  ['noon', Date.UTC(2026, 0, 15, 7)],
] as const;

describe('the demo tells its story whatever the hour', () => {
  test.each(HOURS)('at %s', { timeout: 120_000 }, async (_, startAt) => {
    const time = fastTime(startAt, FACTOR);
    const random = (): number => 0.5;
    const started = await startDemo(
      { posts: 3, port: 0, store: 'embedded', broker: 'embedded' },
      { clock: time, scheduler: time, random, log: quiet, historyMs: 3 * 60 * MINUTE },
    );
    if (!started.ok) throw new Error(started.fault.message);
    const { url, historyRead, stop } = started.value;
    // A second that a slow machine takes to start is a quarter of a minute here.
    const liveAt = time.now();
    const get = async <T>(path: string): Promise<T> => (await fetch(`${url}/api/v1${path}`)).json() as Promise<T>;
    const alarmOf = async (rule: string) =>
      (await get<AlarmsResponse>('/alarms?state=all')).alarms.find((alarm) => alarm.rule === rule && alarm.count > 0);
    const until = async <T>(look: () => Promise<T | undefined>, withinMs: number): Promise<T> => {
      const deadline = time.now() + withinMs;
      for (;;) {
        const found = await look();
        if (found !== undefined) return found;
        if (time.now() > deadline) throw new Error('it did not happen in time');
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    };
    try {
      await until(async () => {
        const { posts } = await get<FleetResponse>('/fleet');
        return posts.length === 3 &&
          posts.every(({ link, flows }) => link === 'online' && typeof flows.batterySoc?.value === 'number')
          ? true
          : undefined;
      }, MINUTE);

      for (const rule of ['batterySocCritical', 'pumpDryRun']) {
        const alarm = await until(() => alarmOf(rule), 2 * MINUTE);
        expect((alarm.since ?? Number.POSITIVE_INFINITY) - liveAt).toBeLessThan(MINUTE);
        const response = await fetch(`${url}/api/v1/alarms/acknowledge`, {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify({ alarm: alarm.id, by: 'A newcomer' }),
        });
        expect(response.status).toBe(200);
        expect(((await response.json()) as { alarm: { acknowledgedBy: string } }).alarm.acknowledgedBy).toBe(
          'A newcomer',
        );
      }
      for (const rule of ['batterySocCritical', 'pumpDryRun'])
        await until(
          async () => ((await alarmOf(rule))?.state === 'normal' ? true : undefined),
          startAt + 5 * MINUTE - time.now(),
        );

      await historyRead;
      await until(
        async () =>
          (await get<FleetResponse>('/fleet')).posts.some(({ backfilling }) => backfilling) ? undefined : true,
        3 * MINUTE,
      );
      const query = `metrics=load-meter/load.power&from=${startAt - 3 * 60 * MINUTE}&to=${time.now()}&points=400`;
      const { series } = await get<SeriesResponse>(`/posts/kyzyl-art/series?${query}`);
      const holes = (series[0]?.gaps ?? []).filter(([from, to]) => to - from > 2 * MINUTE);
      expect(holes).toEqual([]);
    } finally {
      await stop();
    }
  });
});
