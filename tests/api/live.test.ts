import type { FastifyInstance } from 'fastify';
import { afterEach, describe, expect, test } from 'vitest';
import type { WebSocket } from 'ws';
import { doorOf } from '#contract/door.js';
import { API_ROOT } from '#contract/http.js';
import type { Delta, LiveMessage, Snapshot } from '#contract/live.js';
import { liveMessageSchema } from '#contract/live.js';
import { fakeServer, meterBirth, NOON, socLow } from './fake-server.js';

const door = doorOf(liveMessageSchema);
const LIVE = `${API_ROOT}/live`;
const local = { headers: { host: 'localhost:8080' } };

/** A browser's end of the channel: keeps what came, checked against the contract. */
async function open(app: FastifyInstance, headers: Record<string, string> = local.headers) {
  const messages: LiveMessage[] = [];
  const waiting: (() => void)[] = [];
  const socket: WebSocket = await app.injectWS(LIVE, { headers } as never, {
    onInit: (ws) =>
      ws.on('message', (data: Buffer) => {
        const message: unknown = JSON.parse(data.toString('utf8'));
        const checked = door(message);
        if (!checked.ok) throw new Error(`not of the contract: ${JSON.stringify(checked.fault)}`);
        messages.push(checked.value as LiveMessage);
        for (const wake of waiting.splice(0)) wake();
      }),
  });
  return {
    socket,
    messages,
    say: (message: unknown) => socket.send(typeof message === 'string' ? message : JSON.stringify(message)),
    async next(): Promise<LiveMessage> {
      while (messages.length === 0) await new Promise<void>((resolve) => waiting.push(resolve));
      return messages.shift() as LiveMessage;
    },
  };
}

const power = (value: number, at: number) => ({ device: 'meter-1', metric: 'load.power', value, code: 0, at });

describe('the live channel', () => {
  let app: FastifyInstance | undefined;
  afterEach(async () => {
    await app?.close();
  });

  async function serve(options: Parameters<typeof fakeServer>[0] = {}) {
    const server = await fakeServer(options);
    app = server.app;
    return server;
  }

  test('a post page gets devices, metrics and values, then only what changed', async () => {
    const { app, ingest, time } = await serve();
    ingest.sample('kyzyl-art', [power(900, NOON)]);
    const browser = await open(app);
    browser.say({ t: 'hello', view: { page: 'post', post: 'kyzyl-art' } });
    const snapshot = (await browser.next()) as Snapshot;
    expect(snapshot.t).toBe('snapshot');
    expect(snapshot.devices).toMatchObject([{ id: 'meter-1', kind: 'meter', role: 'load' }]);
    const metric = snapshot.metrics.find(({ metric }) => metric === 'load.power');
    expect(metric).toMatchObject({ unit: 'W', staleAfterMs: 420_000 });
    expect(snapshot.values).toEqual([[metric!.id, 900, 0, NOON]]);
    expect(snapshot.posts[0]?.flows.loadPower).toEqual({ value: 900, code: 0, at: NOON });

    ingest.sample('kyzyl-art', [power(950, NOON + 10_000)]);
    await time.advance(250);
    const delta = (await browser.next()) as Delta;
    expect(delta).toMatchObject({ t: 'delta', values: [[metric!.id, 950, 0, NOON + 10_000]] });
    expect(delta.seq).toBeGreaterThan(snapshot.seq);
  });

  test('the fleet page gets posts and alarms, and no single values', async () => {
    const { app, ingest, alarms, time } = await serve();
    const browser = await open(app);
    browser.say({ t: 'hello', view: { page: 'fleet' } });
    const snapshot = (await browser.next()) as Snapshot;
    expect(snapshot.posts.map(({ id }) => id)).toEqual(['kyzyl-art']);
    expect(snapshot).toMatchObject({ alarms: [], values: [], devices: [], facts: null });
    ingest.sample('kyzyl-art', [power(950, NOON + 10_000)]);
    alarms.change(socLow('kyzyl-art'));
    await time.advance(250);
    const delta = (await browser.next()) as Delta;
    expect(delta.values).toEqual([]);
    expect(delta.alarms).toMatchObject([{ rule: 'batterySocLow', state: 'unacknowledged' }]);
    expect(delta.posts).toMatchObject([{ alarms: { p1: 0, p2: 0, p3: 1, unacknowledged: 1 } }]);
  });

  test('the alarms page is not told of every sample', async () => {
    const { app, ingest, alarms, time } = await serve();
    const browser = await open(app);
    browser.say({ t: 'hello', view: { page: 'alarms' } });
    expect(((await browser.next()) as Snapshot).posts).toHaveLength(1);
    ingest.sample('kyzyl-art', [power(950, NOON + 10_000)]);
    await time.advance(250);
    expect(await browser.next()).toMatchObject({ posts: [], alarms: [] });
    alarms.change(socLow('kyzyl-art'));
    await time.advance(250);
    expect(await browser.next()).toMatchObject({ posts: [{ id: 'kyzyl-art' }], alarms: [{ rule: 'batterySocLow' }] });
  });

  test('a browser that comes back gets only what it missed', async () => {
    const { app, ingest } = await serve();
    ingest.sample('kyzyl-art', [power(900, NOON), { ...power(5000, NOON), metric: 'load.energy' }]);
    const first = await open(app);
    const view = { page: 'post', post: 'kyzyl-art' };
    first.say({ t: 'hello', view });
    const snapshot = (await first.next()) as Snapshot;
    first.socket.close();
    ingest.sample('kyzyl-art', [power(950, NOON + 10_000)]);
    const second = await open(app);
    second.say({ t: 'hello', view, session: snapshot.session, since: snapshot.seq });
    const delta = await second.next();
    expect(delta).toMatchObject({ t: 'delta', values: [[expect.any(Number), 950, 0, NOON + 10_000]] });
  });

  test('after a restart of the server, or when the devices changed, a snapshot comes instead', async () => {
    const { app, ingest } = await serve();
    const view = { page: 'post', post: 'kyzyl-art' };
    const browser = await open(app);
    browser.say({ t: 'hello', view, session: 'another run', since: 3 });
    const snapshot = (await browser.next()) as Snapshot;
    expect(snapshot.t).toBe('snapshot');
    ingest.bear('kyzyl-art', meterBirth({ birth: 2 }), NOON);
    browser.say({ t: 'hello', view, session: snapshot.session, since: snapshot.seq });
    expect(await browser.next()).toMatchObject({ t: 'snapshot' });
  });

  test('a quiet channel says every 15 seconds that it is alive', async () => {
    const { app, time } = await serve();
    const browser = await open(app);
    browser.say({ t: 'hello', view: { page: 'fleet' } });
    await browser.next();
    await time.advance(15_000);
    expect(await browser.next()).toMatchObject({ t: 'delta', posts: [], values: [], alarms: [] });
  });

  test('many changes within a period make one message, and the first does not wait', async () => {
    const { app, ingest, time } = await serve();
    const browser = await open(app);
    browser.say({ t: 'hello', view: { page: 'post', post: 'kyzyl-art' }, periodMs: 2000 });
    await browser.next();
    await time.advance(5000);
    ingest.sample('kyzyl-art', [power(1, NOON + 1)]);
    await time.advance(1);
    expect(((await browser.next()) as Delta).values[0]?.[1]).toBe(1);
    for (const value of [2, 3, 4]) ingest.sample('kyzyl-art', [power(value, NOON + value)]);
    await time.advance(1998);
    expect(browser.messages).toEqual([]);
    await time.advance(2);
    expect(((await browser.next()) as Delta).values.map(([, value]) => value)).toEqual([4]);
  });

  test('a post is asked for every poll as long as somebody looks at it', async () => {
    const { app, ingest, time } = await serve();
    const browser = await open(app);
    browser.say({ t: 'hello', view: { page: 'post', post: 'kyzyl-art' } });
    await browser.next();
    expect(ingest.attended).toEqual([['kyzyl-art', 120]]);
    await time.advance(100_000);
    expect(ingest.attended).toHaveLength(2);
    browser.say({ t: 'hello', view: { page: 'fleet' } });
    browser.messages.length = 0;
    await browser.next();
    await time.advance(300_000);
    expect(ingest.attended).toHaveLength(2);
  });

  test('what is no message is answered with a code, and the connection stays', async () => {
    const { app } = await serve();
    const browser = await open(app);
    browser.say('{nonsense');
    expect(await browser.next()).toMatchObject({ t: 'error', code: 'LIVE_MESSAGE' });
    browser.say({ t: 'hello', view: { page: 'post', post: 'nowhere' } });
    expect(await browser.next()).toMatchObject({ t: 'error', code: 'LIVE_POST_UNKNOWN' });
    browser.say({ t: 'hello', view: { page: 'fleet' } });
    expect(await browser.next()).toMatchObject({ t: 'snapshot' });
  });

  test('a page of another site cannot listen', async () => {
    const { app, counts } = await serve();
    await expect(open(app, { host: 'localhost:8080', origin: 'http://evil.example' })).rejects.toThrow(/403/);
    await expect(open(app, { host: 'evil.example' })).rejects.toThrow(/421/);
    expect(counts).toMatchObject({ apiOriginsRefused: 1, apiHostsRefused: 1 });
    await open(app, { host: 'localhost:8080', origin: 'http://localhost:8080' });
  });
});
