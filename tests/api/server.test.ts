import { writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import type { MqttClient } from 'mqtt';
import { afterEach, describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { encodeData } from '#contract/data.js';
import { API_ROOT, type FleetResponse, type HealthResponse } from '#contract/http.js';
import type { LiveMessage } from '#contract/live.js';
import { postTopic } from '#contract/topic.js';
import type { RunningServer } from '#server/server.js';
import { closeAll, closers, configOf, gateway, running, start } from './running-server.js';

afterEach(closeAll);

function send(client: MqttClient, record: number, powerW: number, at: number): Promise<unknown> {
  const samples = [
    { record, index: 0, at, value: powerW, code: 0 },
    { record, index: 1, at, value: 5000 + record, code: 0 },
  ];
  const payload = encodeData({ birth: 1, epoch: '0123456789abcdef', historical: false, samples });
  return client.publishAsync(postTopic('pamir', 'kyzyl-art', 'data'), payload);
}

/** A browser's end: waits for the first message that fits. */
function browser(server: RunningServer) {
  const socket = new WebSocket(`${server.url.replace('http', 'ws')}${API_ROOT}/live`, { origin: server.url });
  closers.push(() => socket.terminate());
  const messages: LiveMessage[] = [];
  let wake = () => {};
  socket.on('message', (data: Buffer) => {
    messages.push(JSON.parse(data.toString('utf8')) as LiveMessage);
    wake();
  });
  return {
    socket,
    async first(fits: (message: LiveMessage) => boolean): Promise<LiveMessage> {
      for (;;) {
        const found = messages.find(fits);
        if (found !== undefined) return found;
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    },
  };
}

describe('a running server', () => {
  test('shows in a browser what a gateway sent, and asks that post for every poll', async () => {
    const server = await running(configOf());
    const client = await gateway(server);
    const attention = new Promise<string>((resolve) => {
      client.on('message', (topic, payload) => {
        if (topic.endsWith('attention')) resolve(payload.toString('utf8'));
      });
    });
    await client.subscribeAsync(postTopic('pamir', 'kyzyl-art', 'attention'));
    await client.subscribeAsync(postTopic('pamir', 'kyzyl-art', 'receipt'));
    await send(client, 1, 900, Date.now());
    const page = browser(server);
    await new Promise((resolve) => page.socket.once('open', resolve));
    page.socket.send(JSON.stringify({ t: 'hello', view: { page: 'post', post: 'kyzyl-art' } }));
    expect(await page.first(({ t }) => t === 'snapshot')).toMatchObject({ view: { post: 'kyzyl-art' } });
    expect(JSON.parse(await attention)).toEqual({ forS: 120 });
    await send(client, 2, 950, Date.now());
    await page.first((message) => message.t !== 'error' && message.values.some(([, value]) => value === 950));

    const fleet = (await (await fetch(`${server.url}${API_ROOT}/fleet`)).json()) as FleetResponse;
    expect(fleet.posts).toMatchObject([{ name: 'Kyzyl-Art', link: 'online', flows: { loadPower: { value: 950 } } }]);
    const health = (await (await fetch(`${server.url}${API_ROOT}/health`)).json()) as HealthResponse;
    expect(health).toMatchObject({ broker: 'connected', store: 'ok', counters: { liveClients: 1, apiRateLimited: 0 } });
  });

  test('knows its alarms and posts after a restart, on the same data', async () => {
    const config = configOf();
    const first = await running(config);
    const client = await gateway(first);
    await send(client, 1, 900, Date.now());
    const page = browser(first);
    await new Promise((resolve) => page.socket.once('open', resolve));
    page.socket.send(JSON.stringify({ t: 'hello', view: { page: 'fleet' } }));
    await page.first((message) => message.t !== 'error' && message.posts[0]?.flows.loadPower?.value === 900);
    await client.endAsync(true);
    await first.stop();
    const second = await running(config);
    const { posts } = (await (await fetch(`${second.url}${API_ROOT}/fleet`)).json()) as FleetResponse;
    expect(posts[0]?.flows.loadPower?.value).toBe(900);
  });

  test('says goodbye to browsers and leaves nothing open when it stops', async () => {
    const server = await running(configOf());
    const page = browser(server);
    await new Promise((resolve) => page.socket.once('open', resolve));
    const closed = new Promise<number>((resolve) => page.socket.once('close', resolve));
    await server.stop();
    expect(await closed).toBe(1001);
    await expect(fetch(`${server.url}${API_ROOT}/fleet`)).rejects.toThrow();
  });
});

describe('a server that cannot start says why in one line', () => {
  test('a taken port', async () => {
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    closers.push(() => new Promise((resolve) => other.close(resolve)));
    const { port } = other.address() as { port: number };
    const config = configOf({ http: { host: '127.0.0.1', port } });
    expect(await start(config)).toMatchObject({ ok: false, fault: { code: 'HTTP_PORT_TAKEN' } });
    // Everything opened before was closed again: the same folder serves at once.
    await running({ ...config, http: { host: '127.0.0.1', port: 0 } });
  });

  test('an address that others can reach', async () => {
    const config = configOf({ http: { host: '0.0.0.0', port: 0 } });
    expect(await start(config)).toMatchObject({ ok: false, fault: { code: 'CONFIG_NOT_LOOPBACK' } });
  });

  test('a data folder that cannot be', async () => {
    const config = configOf();
    const file = join(config.dataFolder, 'file');
    writeFileSync(file, '');
    expect(await start({ ...config, dataFolder: join(file, 'data') })).toMatchObject({
      ok: false,
      fault: { code: 'CONFIG_DATA_FOLDER' },
    });
  });
});
