// The query route over a whole application: what a stranger asks, and what is wrong with it.
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { API_ROOT, type ApiError } from '#contract/http.js';
import { QUERY_SERIES_MAX, type QueryResponse } from '#contract/query.js';
import { codeOf, type Reason } from '#domain/quality.js';
import { type FakeServer, fakeServer, KYZYL_ART, meterBirth, NOON } from './fake-server.js';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const LANGAR = { ...KYZYL_ART, id: 'langar', name: 'Langar' };
/** Local midnight of the day of NOON. */
const MIDNIGHT = Date.UTC(2026, 5, 20, 19);

let server: FakeServer;
beforeEach(async () => {
  server = await fakeServer({ posts: [KYZYL_ART, LANGAR] });
  server.ingest.know('langar', { birth: meterBirth() });
});
afterEach(() => server.app.close());

function put(metric: string, at: number, value: number | null, reason: Reason = 'good', post = 'kyzyl-art'): void {
  server.store.points.push({ post, device: 'meter-1', metric, at, value, code: codeOf(reason) });
}

/** A kilowatt, and a Wh each minute. */
function steady(from: number, to: number, post = 'kyzyl-art', everyMs = MINUTE): void {
  for (let at = from; at < to; at += everyMs) {
    put('load.power', at, 1000, 'good', post);
    put('load.energy', at, Math.round((at - MIDNIGHT) / MINUTE) + 100_000, 'good', post);
  }
}

type Words = Record<string, string | number | readonly string[]>;

async function inject(words: Words, headers: Record<string, string> = {}) {
  const query = new URLSearchParams();
  for (const [name, word] of Object.entries(words))
    for (const one of Array.isArray(word) ? word : [word]) query.append(name, String(one));
  return server.app.inject({ url: `${API_ROOT}/query?${query}`, headers });
}
async function ask(words: Words): Promise<QueryResponse> {
  const answer = await inject(words);
  if (answer.statusCode !== 200) throw new Error(answer.body);
  return answer.json<QueryResponse>();
}
async function fail(words: Words): Promise<{ status: number } & ApiError> {
  const answer = await inject(words);
  return { status: answer.statusCode, ...answer.json<ApiError>() };
}

const POWER = 'kyzyl-art/meter-1/load.power';
const ENERGY = 'kyzyl-art/meter-1/load.energy';
const BOTH = { posts: 'kyzyl-art', metrics: 'meter-1/load.power,meter-1/load.energy' };

describe('windows', () => {
  test('of several posts and metrics stand beside one another, with their whole', async () => {
    steady(MIDNIGHT, NOON);
    steady(MIDNIGHT + 6 * HOUR, NOON, 'langar');
    const words = { posts: 'kyzyl-art,langar', metrics: BOTH.metrics, from: MIDNIGHT, to: MIDNIGHT + DAY };
    const { bucketMs, closed, resolution, series } = await ask({ ...words, resolution: 'day' });
    expect({ bucketMs, closed, resolution }).toEqual({ bucketMs: DAY, closed: false, resolution: 'day' });
    expect(series.map(({ metric, post }) => `${post} ${metric}`)).toEqual([
      'kyzyl-art load.power',
      'kyzyl-art load.energy',
      'langar load.power',
      'langar load.energy',
    ]);
    expect(series[0]).toMatchObject({ kind: 'gauge', unit: 'W', zone: 'Asia/Dushanbe', at: [MIDNIGHT] });
    expect(series[0]).toMatchObject({ mean: [1000], min: [1000], max: [1000], coverage: [1], gaps: [] });
    expect(series[1]).toMatchObject({ kind: 'counter', increase: [719], estimated: [false], count: [720] });
    expect(series[1]?.whole).toMatchObject({ from: MIDNIGHT, to: NOON, increase: 719, coverage: 1 });
    expect(series[2]).toMatchObject({ mean: [1000], coverage: [0.5] });
    expect(series[2]?.gaps).toEqual([{ from: MIDNIGHT, to: MIDNIGHT + 6 * HOUR, reason: null }]);
  });

  test('are as fine as the screen, and side by side add up to the whole', async () => {
    steady(NOON - 3 * DAY, NOON, 'kyzyl-art', 5 * MINUTE);
    const { bucketMs, resolution, series } = await ask({ series: ENERGY, from: NOON - 3 * DAY, to: NOON, points: 100 });
    expect({ bucketMs, resolution }).toEqual({ bucketMs: HOUR, resolution: 'bucket' });
    expect(series[0]?.at).toHaveLength(72);
    const sum = (series[0]?.increase ?? []).reduce((all: number, one) => all + (one ?? 0), 0);
    expect(series[0]?.whole?.increase).toBe(sum);
    expect(sum).toBe(3 * 1440 - 5);
  });

  test('have null where nothing is known, and the gap tells why', async () => {
    steady(NOON - 3 * DAY, NOON - 2 * DAY);
    put('load.power', NOON - 2 * DAY, null, 'disconnected');
    put('load.power', NOON - DAY, null, 'expired');
    const { series } = await ask({ series: POWER, from: NOON - 3 * DAY, to: NOON, resolution: 'quarter' });
    const mean = series[0]?.mean ?? [];
    expect(mean.filter((value) => value === null)).toHaveLength(192);
    expect(series[0]?.whole).toMatchObject({ coverage: 0.333333, mean: 1000 });
    const heldMs = 6 * MINUTE;
    expect(series[0]?.gaps).toEqual([
      { from: NOON - 2 * DAY, to: NOON - 2 * DAY + heldMs, reason: 'disconnected' },
      { from: NOON - 2 * DAY + heldMs, to: NOON - DAY, reason: null },
      { from: NOON - DAY, to: NOON, reason: 'expired' },
    ]);
  });

  test('of short ranges are made of points, when those are too many to be shown', async () => {
    steady(NOON - 2 * HOUR, NOON, 'kyzyl-art', 10_000);
    const { bucketMs, resolution, series } = await ask({
      series: POWER,
      from: NOON - 2 * HOUR,
      to: NOON - HOUR,
      points: 70,
    });
    expect({ bucketMs, resolution }).toEqual({ bucketMs: MINUTE, resolution: 'bucket' });
    expect(series[0]?.at).toHaveLength(60);
    expect(series[0]?.count?.every((count) => count === 6)).toBe(true);
  });

  test('of years are answered by months', async () => {
    steady(NOON - 3 * HOUR, NOON);
    const { resolution, series } = await ask({ series: ENERGY, from: NOON - 10 * 365 * DAY, to: NOON, points: 120 });
    expect(resolution).toBe('month');
    expect(series[0]?.whole).toMatchObject({ increase: 179 });
  });
});

describe('points', () => {
  test('are given where they fit', async () => {
    steady(NOON - HOUR, NOON);
    const { next, resolution, series } = await ask({ series: POWER, from: NOON - HOUR, to: NOON });
    expect({ next, resolution }).toEqual({ next: undefined, resolution: 'raw' });
    expect(series[0]?.at).toHaveLength(60);
    expect(series[0]).toMatchObject({ whole: { mean: 1000, coverage: 1, count: 60 }, gaps: [] });
  });

  test('come in pages that lose none and give none twice', async () => {
    steady(NOON - 3 * HOUR, NOON);
    put('load.power', NOON - HOUR - 1, null, 'timeout');
    const words = { ...BOTH, from: NOON - 20 * DAY, to: NOON, resolution: 'raw', limit: 50 };
    const found: (number | string | null)[][] = [[], []];
    const times: number[][] = [[], []];
    let cursor: string | undefined;
    let pages = 0;
    do {
      const page: QueryResponse = await ask({ ...words, ...(cursor !== undefined && { cursor }) });
      for (const [index, { at, value }] of page.series.entries()) {
        expect(at.length).toBeLessThanOrEqual(50);
        times[index]?.push(...at);
        found[index]?.push(...(value ?? []));
      }
      cursor = page.next;
      pages += 1;
    } while (cursor !== undefined);
    expect(pages).toBe(4);
    expect(found.map(({ length }) => length)).toEqual([181, 180]);
    expect(new Set(times[0]).size).toBe(181);
    expect(times[0]).toEqual(times[0]?.toSorted((a, b) => a - b));
  });
});

describe('an answer whose windows are over', () => {
  const words = { series: ENERGY, from: NOON - 5 * DAY, to: NOON - 2 * DAY, resolution: 'day' };

  test('has a tag, by which it need not be sent again', async () => {
    steady(NOON - 6 * DAY, NOON - 3 * DAY, 'kyzyl-art', 5 * MINUTE);
    const first = await inject(words);
    expect(first.headers).toMatchObject({ etag: expect.stringMatching(/^"/), 'cache-control': 'private, no-cache' });
    const etag = String(first.headers.etag);
    const again = await inject(words, { 'if-none-match': `"other", W/${etag}` });
    expect([again.statusCode, again.body, again.headers.etag]).toEqual([304, '', etag]);
    // Late data changes what it says.
    put('load.energy', NOON - 3 * DAY + HOUR, 1_000_000);
    const changed = await inject(words, { 'if-none-match': etag });
    expect(changed.statusCode).toBe(200);
    expect(changed.headers.etag).not.toBe(etag);
  });

  test('differs from one that is still running', async () => {
    const running = await inject({ ...words, to: NOON });
    expect(running.json()).toMatchObject({ closed: false });
    expect(running.headers.etag).toBeUndefined();
    expect(running.headers['cache-control']).toBe('no-store');
  });
});

describe('what is wrong with a question', () => {
  const good = { series: POWER, from: NOON - HOUR, to: NOON };

  test.each([
    ['a reversed range', { from: NOON, to: NOON - HOUR }, 'API_RANGE', ['/to', '/from']],
    ['an empty range', { from: NOON - HOUR, to: NOON - HOUR }, 'API_RANGE', ['/to']],
    ['a range that has not begun', { from: NOON + HOUR, to: NOON + DAY }, 'API_RANGE', ['/from']],
    ['no number', { from: 'NaN' }, 'API_TIME', ['/from']],
    ['1970', { from: 0 }, 'API_TIME', ['/from']],
    ['seconds', { from: NOON / 1000 }, 'API_TIME', ['/from']],
    ['2090', { to: '2090-01-01T00:00:00Z' }, 'API_TIME', ['/to']],
    ['a time without a zone', { from: '2026-06-21T00:00:00' }, 'API_TIME', ['/from']],
    ['a day that does not exist', { from: '2026-02-31T00:00:00Z' }, 'API_TIME', ['/from']],
    ['no range', { from: '' }, 'API_TIME', ['/from']],
    ['points beyond limits', { points: 100_000 }, 'API_INVALID', ['/points']],
    ['another resolution', { resolution: 'hour' }, 'API_INVALID', ['/resolution']],
    ['a cursor without pages', { cursor: NOON - 1000 }, 'API_INVALID', ['/cursor']],
    ['a cursor outside', { resolution: 'raw', cursor: NOON + 1 }, 'API_INVALID', ['/cursor']],
    ['an unknown word', { metric: 'load.power' }, 'API_INVALID', ['/metric']],
    ['posts without metrics', { posts: 'langar' }, 'API_INVALID', ['/metrics']],
    ['a name that is none', { series: 'load.power' }, 'API_INVALID', ['/series/0']],
  ])('%s is told', async (_what, words, code, paths) => {
    const answer = await fail({ ...good, ...words });
    expect(answer).toMatchObject({ status: 400, code });
    expect(answer.faults?.map(({ path }) => path)).toEqual(paths);
    expect(server.counts.apiRequestsInvalid).toBe(1);
  });

  test('all faults are told at once, each with its place', async () => {
    const answer = await fail({ series: [POWER, 'nobody/a/b.c'], posts: 'langar', metrics: 'meter-1/no.such', to: 1 });
    expect(answer).toMatchObject({ status: 400, code: 'API_INVALID' });
    expect(answer.faults).toMatchObject([
      { path: '/from', message: 'is missing' },
      { path: '/to' },
      { path: '/series/1', message: expect.stringContaining('no post "nobody"') },
      { path: '/metrics/0', message: expect.stringContaining('"meter-1/no.such"') },
    ]);
  });

  test('a post or a metric that nobody knows is not found', async () => {
    expect(await fail({ ...good, series: 'nobody/meter-1/load.power' })).toMatchObject({
      status: 404,
      code: 'API_POST_UNKNOWN',
    });
    expect(await fail({ ...good, series: 'langar/meter-1/pv.power' })).toMatchObject({
      status: 404,
      code: 'API_METRIC_UNKNOWN',
    });
    expect(await fail({ from: NOON - HOUR, to: NOON, posts: '*', metrics: 'meter-9/load.power' })).toMatchObject({
      status: 404,
      code: 'API_METRIC_UNKNOWN',
      faults: [{ path: '/metrics/0' }],
    });
  });

  test('a device that is gone is known by its data', async () => {
    server.store.points.push({ post: 'langar', device: 'old', metric: 'load.power', at: NOON - 2, value: 5, code: 0 });
    const { series } = await ask({ ...good, series: 'langar/old/load.power' });
    expect(series).toMatchObject([{ device: 'old', kind: 'gauge', unit: 'W', value: [5] }]);
  });

  test('too many series, or too many windows, are told with what to do', async () => {
    const many = Array.from({ length: QUERY_SERIES_MAX + 1 }, (_, i) => `meter-${i}/load.power`).join(',');
    const answer = await fail({ from: NOON - HOUR, to: NOON, posts: 'langar', metrics: many });
    expect(answer).toMatchObject({ status: 400, code: 'API_SERIES_TOO_MANY' });
    const years = { ...good, from: NOON - 9 * 365 * DAY, resolution: 'quarter' };
    expect(await fail(years)).toMatchObject({ status: 400, code: 'API_POINTS_TOO_MANY' });
  });

  test('a store that does not answer is told', async () => {
    server.store.failing = true;
    expect(await fail(good)).toMatchObject({ status: 503, code: 'API_STORE' });
  });

  test('too many readers at once are turned away, and counted', async () => {
    const { rollUp } = server.store;
    let release = (): void => undefined;
    const gate = new Promise<void>((resolve) => {
      release = resolve;
    });
    server.store.rollUp = async (questions) => {
      await gate;
      return rollUp.call(server.store, questions);
    };
    const answers = Array.from({ length: 46 }, () => inject(good));
    const refused = await Promise.race(answers.slice(44));
    expect([refused.statusCode, refused.json().code]).toEqual([503, 'API_BUSY']);
    release();
    const statuses = (await Promise.all(answers)).map(({ statusCode }) => statusCode);
    expect(statuses.filter((status) => status === 200)).toHaveLength(44);
    expect(server.counts.apiSeriesBusy).toBe(2);
  });
});

test('times may have a zone whose plus the address did not escape, and all posts be meant', async () => {
  steady(MIDNIGHT, NOON, 'langar', 5 * MINUTE);
  const url = `${API_ROOT}/query?posts=*&metrics=meter-1/load.energy&resolution=day`;
  const answer = await server.app.inject({ url: `${url}&from=2026-06-21T00:00:00+05:00&to=2026-06-22T00:00+0500` });
  expect(answer.json<QueryResponse>()).toMatchObject({
    from: MIDNIGHT,
    to: MIDNIGHT + DAY,
    series: [
      { post: 'kyzyl-art', increase: [null], coverage: [0], whole: null },
      { post: 'langar', increase: [715] },
    ],
  });
});
