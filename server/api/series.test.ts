import { afterEach, describe, expect, test } from 'vitest';
import type { Series, SeriesResponse } from '#contract/http.js';
import { codeOf, type Reason } from '#domain/quality.js';
import { type FakeServer, fakeServer, NOON } from '#tests/api/fake-server.js';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

let server: FakeServer;
afterEach(() => server.app.close());

/** One sample, so many minutes before the end of the span. */
const put = (minutes: number, value: number | null, reason: Reason = 'good') =>
  server.store.points.push({
    post: 'kyzyl-art',
    device: 'meter-1',
    metric: 'load.power',
    value,
    code: codeOf(reason),
    at: NOON - minutes * MINUTE,
  });
const steady = (from: number, to: number, reason: Reason = 'good') => {
  for (let minutes = from; minutes > to; minutes -= 1) put(minutes, 1000, reason);
};
async function read(fromMs = HOUR): Promise<Series> {
  const query = `metrics=meter-1/load.power&from=${NOON - fromMs}&to=${NOON}&points=60`;
  const answer = await server.app.inject({ url: `/api/v1/posts/kyzyl-art/series?${query}` });
  const [series] = answer.json<SeriesResponse>().series;
  if (series === undefined) throw new Error(answer.body);
  return series;
}
const causes = ({ gapCauses }: Series) =>
  gapCauses.map(({ from, to, reason }) => [(from - NOON) / MINUTE, (to - NOON) / MINUTE, reason]);

describe('a gap', () => {
  test('says why, as the point does that opens it, and says nothing where nothing came', async () => {
    server = await fakeServer();
    steady(60, 50);
    put(50, null, 'timeout');
    put(45, null, 'timeout');
    put(40, null, 'disconnected');
    steady(35, 30);
    put(30, null, 'expired');
    steady(10, 0);
    const series = await read();
    expect(causes(series)).toEqual([
      [-50, -40, 'timeout'],
      [-40, -35, 'disconnected'],
      [-30, -10, 'expired'],
    ]);
    expect(series.gaps.map(([from, to]) => [(from - NOON) / MINUTE, (to - NOON) / MINUTE])).toEqual([
      [-50, -35],
      [-30, -10],
    ]);
  });

  test('that nothing explains has no cause', async () => {
    server = await fakeServer();
    steady(60, 50);
    expect(causes(await read())).toEqual([[-45, 0, null]]);
  });

  test('that began before the span keeps its cause, also over the days that are read one by one', async () => {
    server = await fakeServer();
    steady(50 * 60 + 20, 50 * 60 + 10);
    put(50 * 60 + 10, null, 'expired');
    steady(5, 0);
    expect(causes(await read(49 * HOUR))).toEqual([[-49 * 60, -5, 'expired']]);
    expect(causes(await read(HOUR))).toEqual([[-60, -5, 'expired']]);
  });

  test('is not bridged at the start of the span by a value whose device fell silent just before', async () => {
    server = await fakeServer();
    put(64, 1000);
    put(62, null, 'timeout');
    steady(55, 0);
    expect(causes(await read())).toEqual([[-60, -55, 'timeout']]);
  });
});

test('a value from before the span still holds in it, as it promised', async () => {
  server = await fakeServer();
  put(62, 1000);
  put(57, 1000);
  steady(55, 0);
  expect(await read()).toMatchObject({ coverage: 1, gaps: [], gapCauses: [] });
});

describe('means of a minute', () => {
  test('count as measured, and are told apart', async () => {
    server = await fakeServer();
    steady(60, 20);
    steady(20, 0, 'aggregated');
    expect(await read()).toMatchObject({ coverage: 1, gaps: [], gapCauses: [], aggregated: 20 });
  });
});

describe('a chart of years', () => {
  const DAY = 24 * HOUR;
  const YEAR = 365 * DAY;

  test('is answered by windows that hold it, with its gaps and their causes', async () => {
    server = await fakeServer();
    for (let days = 3 * 365; days > 0; days -= 1) {
      if (days > 400 && days < 420) continue;
      put(days * 1440, days, days === 420 ? 'deviceDoubts' : 'good');
    }
    put(420 * 1440 - 1, null, 'expired');
    const query = `metrics=meter-1/load.power&from=${NOON - 3 * YEAR}&to=${NOON}&points=200`;
    const answer = (await server.app.inject({ url: `/api/v1/posts/kyzyl-art/series?${query}` })).json<SeriesResponse>();
    expect(answer.bucketMs).toBe(7 * DAY);
    expect(answer.clearSky?.at).toEqual(answer.series[0]?.at);
    expect(answer.series[0]?.max.at(0)).toBeGreaterThan(3 * 365 - 7);
    const [longest] = causes(answer.series[0] ?? ({} as Series)).toSorted(
      ([a = 0, b = 0], [c = 0, d = 0]) => Number(d) - Number(c) - (Number(b) - Number(a)),
    );
    expect(longest).toEqual([-420 * 1440 + 1, expect.any(Number), 'expired']);
    expect(longest?.[1]).toBeGreaterThanOrEqual(-400 * 1440 - 1440);
    const sum = answer.clearSky?.power.reduce((all, power) => all + (power * answer.bucketMs) / HOUR, 0) ?? 0;
    expect(sum / (answer.clearSky?.energyWh ?? 1)).toBeCloseTo(1, 3);
    // Six or so hours of full sun a day at 39 degrees north.
    expect(sum / 3 / 365 / 12_000).toBeGreaterThan(4);
    expect(sum / 3 / 365 / 12_000).toBeLessThan(9);
  });
});
