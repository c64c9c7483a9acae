// A server as it is, over real sockets, and a post that says what it is told to.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connectAsync, type MqttClient } from 'mqtt';
import { systemClock, systemRandom, systemScheduler } from '#cli/system.js';
import { type Birth, encodeJson } from '#contract/session.js';
import { postTopic } from '#contract/topic.js';
import type { ServerConfig } from '#server/config.js';
import { type RunningServer, type ServerDeps, startServer } from '#server/server.js';
import { KYZYL_ART, meterBirth } from './fake-server.js';

export const closers: (() => Promise<unknown> | unknown)[] = [];

export async function closeAll(): Promise<void> {
  for (const close of closers.splice(0).reverse()) await close();
}

export function configOf(overrides: Partial<ServerConfig> = {}): ServerConfig {
  const dataFolder = mkdtempSync(join(tmpdir(), 'oftob-server-'));
  closers.push(() => rmSync(dataFolder, { recursive: true, force: true }));
  return {
    fleet: 'pamir',
    dataFolder,
    http: { host: '127.0.0.1', port: 0 },
    broker: { kind: 'embedded', port: 0 },
    store: { kind: 'embedded' },
    posts: [KYZYL_ART],
    alarms: {},
    notices: {},
    retention: { rawDays: 400, quarterYears: 10 },
    ...overrides,
  };
}

export const start = (config: ServerConfig, overrides: Partial<ServerDeps> = {}) =>
  startServer(config, {
    clock: systemClock,
    scheduler: systemScheduler,
    random: systemRandom,
    log: { info() {}, warn() {}, error() {} },
    version: '0.1.0',
    impactPage: (data) => `<!doctype html>${data.fleet}`,
    textsFolder: '/nonexistent',
    ...overrides,
  });

export async function running(config: ServerConfig, overrides: Partial<ServerDeps> = {}): Promise<RunningServer> {
  const started = await start(config, overrides);
  if (!started.ok) throw new Error(started.fault.message);
  closers.push(() => started.value.stop());
  return started.value;
}

/** What a gateway says first. */
export async function gateway(server: RunningServer, overrides: Partial<Birth> = {}): Promise<MqttClient> {
  const client = await connectAsync(server.mqttUrl, { clientId: 'post-pamir-kyzyl-art' });
  closers.push(() => client.endAsync(true));
  const publish = (channel: 'birth' | 'state', message: Parameters<typeof encodeJson>[0]) =>
    client.publishAsync(postTopic('pamir', 'kyzyl-art', channel), encodeJson(message), { qos: 1, retain: true });
  await publish('state', { state: 'online', connection: 1 });
  await publish('birth', meterBirth({ at: Date.now(), ...overrides }));
  return client;
}
