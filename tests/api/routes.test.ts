import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { brotliCompressSync } from 'node:zlib';
import type { FastifyInstance } from 'fastify';
import { afterEach, describe, expect, test } from 'vitest';
import { API_ROOT, type FleetResponse, type PostResponse, type SeriesResponse } from '#contract/http.js';
import { fakeServer, KYZYL_ART, meterBirth, NOON, socLow } from './fake-server.js';

const MINUTE = 60_000;
let app: FastifyInstance | undefined;
const folders: string[] = [];

function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'oftob-routes-'));
  folders.push(folder);
  return folder;
}

afterEach(async () => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
  await app?.close();
});

async function serve(options: Parameters<typeof fakeServer>[0] = {}) {
  const server = await fakeServer(options);
  app = server.app;
  const get = async (path: string, headers: Record<string, string> = {}) =>
    server.app.inject({
      method: 'GET',
      url: path.startsWith('/api') || path.startsWith('/!') ? path.replace('/!', '/') : `${API_ROOT}${path}`,
      headers,
    });
  return { ...server, get };
}

describe('the fleet and its posts', () => {
  test('the fleet lists every post with its figures', async () => {
    const { get, ingest } = await serve();
    ingest.sample('kyzyl-art', [{ device: 'meter-1', metric: 'load.power', value: 900, code: 0, at: NOON }]);
    const answer = await get('/fleet');
    expect(answer.statusCode).toBe(200);
    const fleet = answer.json<FleetResponse>();
    expect(fleet).toMatchObject({
      fleet: 'pamir',
      posts: [{ id: 'kyzyl-art', name: 'Kyzyl-Art', link: 'online', registered: true }],
    });
    expect(fleet.posts[0]?.flows.loadPower).toEqual({ value: 900, code: 0, at: NOON });
  });

  test('a post that is not configured is shown as such', async () => {
    const { get, ingest } = await serve();
    ingest.know('stray', {});
    ingest.bear('stray', meterBirth(), NOON);
    const { posts } = (await get('/fleet')).json<FleetResponse>();
    expect(posts.find(({ id }) => id === 'stray')).toMatchObject({ name: 'stray', registered: false });
  });

  test('a post tells its devices, metrics and facts, and not where it lies', async () => {
    const { get } = await serve();
    const post = (await get('/posts/kyzyl-art')).json<PostResponse>();
    expect(post.devices).toMatchObject([{ id: 'meter-1' }]);
    expect(post.metrics.map(({ metric }) => metric)).toEqual(['load.power', 'load.energy']);
    expect(post.facts).toEqual({ zone: 'Asia/Dushanbe', altitudeM: 4280, pvCapacityW: 12_000 });
  });

  test('a metric that has said nothing yet has no value, not zero', async () => {
    const { get } = await serve();
    const post = (await get('/posts/kyzyl-art')).json<PostResponse>();
    expect(post.summary.flows.loadPower).toMatchObject({ value: null, code: 40 });
  });

  test('an unknown post is a 404 with a code', async () => {
    const { get } = await serve();
    const answer = await get('/posts/nowhere');
    expect(answer.statusCode).toBe(404);
    expect(answer.json()).toMatchObject({ code: 'API_POST_UNKNOWN' });
    expect((await get('/posts/NO%20WHERE')).json()).toMatchObject({
      code: 'API_INVALID',
      faults: [{ path: 'params/post' }],
    });
  });
});

describe('series', () => {
  const url = (query: string) => `/posts/kyzyl-art/series?${query}`;
  const hour = `from=${NOON - 60 * MINUTE}&to=${NOON}`;

  test('a gauge comes in equal buckets, and a gap stays a gap', async () => {
    const { get, store } = await serve();
    for (let minute = 60; minute > 40; minute -= 1)
      store.points.push({
        post: 'kyzyl-art',
        device: 'meter-1',
        metric: 'load.power',
        value: 1000,
        code: 0,
        at: NOON - minute * MINUTE,
      });
    const answer = await get(url(`metrics=meter-1/load.power&${hour}&points=12`));
    expect(answer.statusCode).toBe(200);
    const { bucketMs, series } = answer.json<SeriesResponse>();
    expect(bucketMs).toBe(300_000);
    expect(series[0]?.mean.slice(0, 4)).toEqual([1000, 1000, 1000, 1000]);
    expect(series[0]?.mean.at(-1)).toBeNull();
    expect(series[0]?.at).toHaveLength(12);
    expect(series[0]?.gaps).toHaveLength(1);
    expect(series[0]?.coverage).toBeLessThan(0.5);
  });

  test('a post with PV facts gets the cloudless sky beside it', async () => {
    const { get } = await serve();
    const day = `from=${NOON - 12 * 60 * MINUTE}&to=${NOON + 12 * 60 * MINUTE}`;
    const { clearSky } = (await get(url(`metrics=meter-1/load.power&${day}`))).json<SeriesResponse>();
    expect(Math.max(...clearSky!.power)).toBeGreaterThan(9000);
    expect(Math.min(...clearSky!.power)).toBe(0);
    const { pvTiltDeg: _tilt, ...bare } = KYZYL_ART;
    const other = await serve({ posts: [bare] });
    expect((await other.get(url(`metrics=meter-1/load.power&${day}`))).json()).not.toHaveProperty('clearSky');
    await other.app.close();
  });

  test('what has not happened yet is not missing', async () => {
    const { get, store } = await serve();
    for (let minute = 60; minute > 0; minute -= 1)
      store.points.push({
        post: 'kyzyl-art',
        device: 'meter-1',
        metric: 'load.power',
        value: 5,
        code: 0,
        at: NOON - minute * MINUTE,
      });
    const { series } = (
      await get(url(`metrics=meter-1/load.power&from=${NOON - 60 * MINUTE}&to=${NOON + 600 * MINUTE}`))
    ).json<SeriesResponse>();
    expect(series[0]).toMatchObject({ coverage: 1, gaps: [] });
  });

  test.each([
    ['an unknown metric', `metrics=meter-1/pv.power&${hour}`, 404, 'API_METRIC_UNKNOWN'],
    ['a counter', `metrics=meter-1/load.energy&${hour}`, 400, 'API_METRIC_KIND'],
    ['a name without device', `metrics=load.power&${hour}`, 400, 'API_INVALID'],
    ['a reversed range', `metrics=meter-1/load.power&from=${NOON}&to=${NOON - 1}`, 400, 'API_RANGE'],
    ['a time in 1970', `metrics=meter-1/load.power&from=0&to=${NOON}`, 400, 'API_TIME'],
    ['a time in 2090', `metrics=meter-1/load.power&from=${NOON}&to=${Date.UTC(2090, 0)}`, 400, 'API_TIME'],
    ['too many points', `metrics=meter-1/load.power&${hour}&points=5000`, 400, 'API_INVALID'],
    [
      'too many series',
      `metrics=${Array.from({ length: 13 }, (_, i) => `m${i}/x.y`).join()}&${hour}`,
      400,
      'API_SERIES_TOO_MANY',
    ],
    ['no range', 'metrics=meter-1/load.power', 400, 'API_INVALID'],
    ['a time that is no number', `metrics=meter-1/load.power&from=yesterday&to=${NOON}`, 400, 'API_INVALID'],
    ['the same parameter twice', `metrics=meter-1/load.power&${hour}&from=3`, 400, 'API_INVALID'],
  ])('%s is refused with its code', async (_, query, status, code) => {
    const { get } = await serve();
    const answer = await get(url(query));
    expect(answer.json()).toMatchObject({ code, message: expect.any(String) });
    expect(answer.statusCode).toBe(status);
  });

  test('a store that does not answer is told as such', async () => {
    const { get, store } = await serve();
    store.failing = true;
    const answer = await get(url(`metrics=meter-1/load.power&${hour}`));
    expect(answer.statusCode).toBe(503);
    expect(answer.json()).toMatchObject({ code: 'API_STORE' });
  });
});

describe('alarms', () => {
  test('active ones by default, all on request', async () => {
    const { get, alarms } = await serve();
    alarms.change(socLow('kyzyl-art'));
    alarms.change(
      socLow('kyzyl-art', { id: 'kyzyl-art/postSilent', rule: 'postSilent', device: null, state: 'normal' }),
    );
    expect((await get('/alarms')).json().alarms).toHaveLength(1);
    expect((await get('/alarms?state=all&post=kyzyl-art')).json().alarms).toHaveLength(2);
    expect((await get('/alarms?post=nowhere')).json()).toMatchObject({ code: 'API_POST_UNKNOWN' });
  });

  test('a person acknowledges by name', async () => {
    const { app, alarms } = await serve();
    alarms.change(socLow('kyzyl-art'));
    const answer = await app.inject({
      method: 'POST',
      url: `${API_ROOT}/alarms/acknowledge`,
      payload: { alarm: 'kyzyl-art/batterySocLow/bms', by: 'Nigora', comment: 'genset starts' },
    });
    expect(answer.statusCode).toBe(200);
    expect(answer.json()).toMatchObject({ alarm: { state: 'acknowledged', acknowledgedBy: 'Nigora' } });
  });

  test.each([
    ['nobody', { alarm: 'a/b', by: ' ' }, 400, 'API_INVALID'],
    ['a number as a name', { alarm: 'a/b', by: 5 }, 400, 'API_INVALID'],
    ['an unknown alarm', { alarm: 'a/b', by: 'Nigora' }, 404, 'ALARM_UNKNOWN'],
    ['a huge body', { alarm: 'a/b', by: 'Nigora', comment: 'x'.repeat(100_000) }, 413, 'API_BODY_TOO_LARGE'],
  ])('%s is refused', async (_, payload, status, code) => {
    const { app } = await serve();
    const answer = await app.inject({ method: 'POST', url: `${API_ROOT}/alarms/acknowledge`, payload });
    expect(answer.json()).toMatchObject({ code });
    expect(answer.statusCode).toBe(status);
  });

  test('a form of another site is no JSON and is not taken', async () => {
    const { app } = await serve();
    const text = { method: 'POST', url: `${API_ROOT}/alarms/reset`, payload: '{"alarm":"a/b","by":"x"}' } as const;
    expect((await app.inject({ ...text, headers: { 'content-type': 'text/plain' } })).statusCode).toBe(415);
    const foreign = { 'content-type': 'application/json', origin: 'https://evil.example' };
    expect((await app.inject({ ...text, headers: foreign })).json()).toMatchObject({ code: 'API_ORIGIN' });
  });
});

describe('everything else', () => {
  test('health tells every counter', async () => {
    const { get, ingest } = await serve();
    ingest.connected = false;
    const health = (await get('/health')).json();
    expect(health).toMatchObject({
      broker: 'disconnected',
      store: 'ok',
      counters: { liveClients: 0, liveClientsRefused: 0 },
    });
  });

  test('a name that only pretends to be this machine is refused, also for reading', async () => {
    const { get, counts } = await serve();
    const answer = await get('/fleet', { host: 'rebound.example:8080' });
    expect(answer.statusCode).toBe(421);
    expect(answer.json()).toMatchObject({ code: 'API_HOST' });
    expect(counts).toMatchObject({ apiHostsRefused: 1 });
    for (const host of ['127.0.0.1:8080', 'localhost', '[::1]:80'])
      expect((await get('/fleet', { host })).statusCode).toBe(200);
  });

  test('pages may only load from here', async () => {
    const { get } = await serve();
    const policy = String((await get('/fleet')).headers['content-security-policy']);
    expect(policy).toContain("script-src 'self'");
    expect(policy).toContain("frame-ancestors 'none'");
  });

  test('too many requests are turned away and counted', async () => {
    const { get, counts } = await serve({ requestsPerMinuteMax: 2 });
    await get('/fleet');
    await get('/fleet');
    const answer = await get('/fleet');
    expect(answer.statusCode).toBe(429);
    expect(answer.json()).toMatchObject({ code: 'API_RATE' });
    expect(counts).toMatchObject({ apiRateLimited: 1 });
  });

  test('OpenAPI describes each route with its answer', async () => {
    const { get } = await serve();
    const api = (await get('/api/openapi.json')).json();
    expect(Object.keys(api.paths)).toEqual(
      expect.arrayContaining([
        '/api/v1/fleet',
        '/api/v1/posts/{post}/series',
        '/api/v1/alarms/acknowledge',
        '/api/v1/health',
      ]),
    );
    expect(api.paths['/api/v1/fleet'].get.responses['200']).toBeDefined();
  });

  test('the impact page is whole HTML', async () => {
    const { get } = await serve();
    const answer = await get('/!impact?lang=tg');
    expect(answer.headers['content-type']).toContain('text/html');
    expect(answer.body).toContain('<html lang="tg"><p>pamir</p>');
  });

  test('fault texts come from the profiles, and nothing else does', async () => {
    const folder = temporaryFolder();
    mkdirSync(join(folder, 'deye', 'texts'), { recursive: true });
    writeFileSync(join(folder, 'deye', 'texts', 'sg04lp3.json'), '{"faults":{"F13":"Grid"}}');
    const { get } = await serve({ textsFolder: folder });
    expect((await get('/texts/deye/sg04lp3')).json()).toEqual({ faults: { F13: 'Grid' } });
    expect((await get('/texts/deye/none')).json()).toMatchObject({ code: 'API_TEXTS_UNKNOWN' });
    expect((await get('/texts/..%2f..%2fetc/passwd')).statusCode).toBe(400);
  });

  test('dashboards are served compressed, their pages by index.html, the rest as JSON 404', async () => {
    const folder = temporaryFolder();
    mkdirSync(join(folder, 'assets'));
    writeFileSync(join(folder, 'index.html'), '<!doctype html>home');
    writeFileSync(join(folder, 'assets', 'main-abcdef12.js'), 'let a');
    writeFileSync(join(folder, 'assets', 'main-abcdef12.js.br'), brotliCompressSync('let a'));
    const { get } = await serve({ webFolder: folder });
    const script = await get('/!assets/main-abcdef12.js', { 'accept-encoding': 'br' });
    expect(script.headers).toMatchObject({
      'content-encoding': 'br',
      'cache-control': expect.stringContaining('immutable'),
    });
    const page = await get('/!posts/kyzyl-art', { accept: 'text/html' });
    expect(page.body).toContain('home');
    expect(page.headers['cache-control']).toBe('no-cache');
    expect((await get('/!assets/none.js', { accept: 'text/html' })).json()).toMatchObject({ code: 'API_NOT_FOUND' });
    expect((await get('/api/v1/none', { accept: 'text/html' })).json()).toMatchObject({ code: 'API_NOT_FOUND' });
  });
});

describe('what an operator asks of a post', () => {
  async function ask() {
    const server = await serve();
    const post = async (path: string, payload: unknown) => {
      const answer = await server.app.inject({ method: 'POST', url: `${API_ROOT}${path}`, payload: payload as object });
      return { status: answer.statusCode, ...answer.json<{ code?: string; faults?: { path: string }[] }>() };
    };
    return { ...server, post };
  }

  test('to send again needs a name, a post that there is, and something to send', async () => {
    const { post } = await ask();
    const path = '/posts/kyzyl-art/replay';
    expect(await post(path, { since: NOON, by: 'Рустам' })).toEqual({ status: 200, at: NOON, state: 'waiting' });
    expect(await post(path, { deadLetters: true, by: 'Рустам' })).toMatchObject({ status: 200 });
    expect(await post(path, { by: 'Рустам' })).toMatchObject({ status: 400, code: 'API_INVALID' });
    expect(await post(path, { since: NOON })).toMatchObject({ status: 400, faults: [{ path: '/' }] });
    expect(await post(path, { since: String(NOON), by: 'Рустам' })).toMatchObject({ status: 400, code: 'API_INVALID' });
    expect(await post(path, { since: NOON, by: '  ' })).toMatchObject({ status: 400 });
    expect(await post('/posts/nobody/replay', { since: NOON, by: 'Рустам' })).toMatchObject({
      status: 404,
      code: 'API_POST_UNKNOWN',
    });
    expect(await post('/posts/..%2Fx/replay', { since: NOON, by: 'Рустам' })).toMatchObject({ status: 400 });
  });

  test('to be taken as it is needs a name', async () => {
    const { post } = await ask();
    expect(await post('/posts/kyzyl-art/identity/accept', { by: 'Рустам' })).toEqual({ status: 200, cleared: [] });
    expect(await post('/posts/kyzyl-art/identity/accept', {})).toMatchObject({ status: 400 });
  });

  test('dead letters are asked for in bounds, and all of this is in OpenAPI', async () => {
    const { get } = await serve();
    expect((await get('/dead-letters')).json()).toEqual({ letters: [] });
    expect((await get('/dead-letters?limit=501')).statusCode).toBe(400);
    const { paths } = (await get('/api/openapi.json')).json();
    for (const path of ['/posts/{post}/replay', '/posts/{post}/identity/accept', '/import'])
      expect(paths[`/api/v1${path}`].post).toMatchObject({
        summary: expect.any(String),
        description: expect.any(String),
      });
    expect(Object.keys(paths['/api/v1/import'].post.responses)).toEqual(expect.arrayContaining(['200', '4XX', '5XX']));
  });
});
