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
