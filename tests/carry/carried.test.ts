// From a stopped post's outbox, by hand, to the store of a server as it is; and the same data by radio.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { type Command, readOptions } from '#cli/command.js';
import { importFile } from '#cli/import.js';
import { outbox } from '#cli/outbox.js';
import { openGateway } from '#cli/post-gateway.js';
import { systemClock, systemRandom, systemScheduler } from '#cli/system.js';
import { CARRY_MEDIA_TYPE } from '#contract/carry.js';
import { API_ROOT } from '#contract/http.js';
import type { Gateway } from '#gateway/gateway.js';
import { loadCatalog } from '#profiles/catalog.js';
import type { ServerConfig } from '#server/config.js';
import type { Store } from '#server/ports.js';
import { type RunningServer, startServer } from '#server/server.js';
import { openEmbeddedStoreHere } from '#server/store/embedded-store.js';
import { startOftob } from '../support/processes.js';
import {
  backlog,
  FLEET,
  METER,
  makePostFolder,
  NOON,
  nameOf,
  POST,
  type PostFolder,
  samplesOf,
} from './post-folder.js';

const POLLS = 1500;
const drafts = backlog(NOON, POLLS);
const METRICS = ['load.power', 'load.energy', 'ac.frequency'];
const log = { info() {}, warn() {}, error() {} };
/** A message for a person, without a stack. */
const ONE_LINE = /^oftob: [A-Z_]+: [^\n]+\n$/;

const closers: (() => Promise<unknown> | unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

/** A post with a backlog, whose gateway is stopped. */
function postWith(options: Parameters<typeof makePostFolder>[0], records = drafts): PostFolder {
  const post = makePostFolder(options);
  closers.push(() => post.remove());
  mkdirSync(post.config.dataFolder);
  post.withOutbox((opened) => expect(opened.append(records).ok).toBe(true));
  return post;
}

async function runningServer(): Promise<{ readonly server: RunningServer; readonly store: Store }> {
  const folder = makePostFolder().folder;
  const opened = openEmbeddedStoreHere({ folder });
  if (!opened.ok) throw new Error(opened.fault.message);
  const config: ServerConfig = {
    fleet: FLEET,
    dataFolder: folder,
    http: { host: '127.0.0.1', port: 0 },
    broker: { kind: 'embedded', port: 0 },
    store: { kind: 'embedded' },
    posts: [],
    alarms: {},
    notices: {},
    retention: { rawDays: 400, quarterYears: 10 },
  };
  const started = await startServer(config, {
    clock: systemClock,
    scheduler: systemScheduler,
    random: systemRandom,
    log,
    version: '0',
    impactPage: () => '',
    textsFolder: '/nonexistent',
    store: opened.value,
  });
  if (!started.ok) throw new Error(started.fault.message);
  closers.push(() => started.value.stop());
  return { server: started.value, store: opened.value };
}

/** What the store holds of the time of the backlog. */
async function stored(store: Store, post = POST): Promise<string[]> {
  const names: string[] = [];
  for (const metric of METRICS) {
    const points = await store.read({ post, device: METER, metric }, NOON - 1e9, NOON + POLLS * 10_000 + 1e9);
    if (!points.ok) throw new Error(points.fault.message);
    names.push(...points.value.map(({ device, at, value, code }) => nameOf(device, metric, at, value, code)));
  }
  return names.sort();
}

let files = 0;
async function exported(post: PostFolder): Promise<string> {
  files += 1;
  const file = join(post.folder, `backlog-${files}`);
  const said = await run(outbox, ['export', '--config', post.configFile, '--to', file]);
  expect(said.result).toMatchObject({ ok: true });
  return file;
}

const imported = (server: RunningServer, file: string) => run(importFile, [file, '--server', server.url]);

/** A command as `oftob` runs it, without a process of its own. */
async function run(command: Command, args: readonly string[]) {
  const parsed = readOptions(command, args);
  if (!parsed.ok) throw new Error(parsed.fault.message);
  let output = '';
  const write = vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    output += String(text);
    return true;
  });
  const result = await command.run(parsed.value.options, parsed.value.words);
  write.mockRestore();
  return { result, output };
}

/** The bytes to the server as they are, past the command's own look at them. */
async function sent(server: RunningServer, bytes: Buffer): Promise<{ status: number; code: unknown }> {
  const headers = { 'content-type': CARRY_MEDIA_TYPE };
  const answer = await fetch(`${server.url}${API_ROOT}/import`, {
    method: 'POST',
    headers,
    body: new Uint8Array(bytes),
  });
  return { status: answer.status, code: ((await answer.json()) as { code?: unknown }).code };
}

function connect({ config }: PostFolder): Gateway {
  const opened = openGateway(config, {
    catalog: loadCatalog().profiles,
    clock: systemClock,
    scheduler: systemScheduler,
    random: systemRandom,
    log,
    clockQuality: () => 'synchronised',
    birthSpreadMs: 0,
  });
  if (!opened.ok) throw new Error(opened.fault.message);
  const gateway = opened.value;
  gateway.start();
  closers.push(() => gateway.stop());
  return gateway;
}

const untilSent = (gateway: Gateway) =>
  vi.waitFor(() => expect(gateway.status().outbox.pendingRecords).toBeLessThan(20), { timeout: 30_000, interval: 50 });

describe('a backlog carried by hand', () => {
  test('is stored bit for bit; once more, and then by radio, it changes nothing', async () => {
    const { server, store } = await runningServer();
    const post = postWith({ mqttUrl: server.mqttUrl });
    const file = await exported(post);
    const first = await imported(server, file);
    expect(first).toMatchObject({
      result: { ok: true },
      output: expect.stringMatching(/records +1500\n +samples +4500\n +stored +4500 /),
    });
    const wanted = samplesOf(drafts);
    expect(await stored(store)).toEqual(wanted);
    expect(await imported(server, file)).toEqual(first);
    expect(await stored(store)).toEqual(wanted);
    await untilSent(connect(post));
    expect(await stored(store)).toEqual(wanted);
  });

  test('adds what the radio had not brought yet', async () => {
    const { server, store } = await runningServer();
    const post = postWith({ mqttUrl: server.mqttUrl }, drafts.slice(0, 700));
    const gateway = connect(post);
    await untilSent(gateway);
    await gateway.stop();
    post.withOutbox((opened) => opened.append(drafts.slice(700)));
    expect(await stored(store)).toEqual(samplesOf(drafts.slice(0, 700)));
    expect(await imported(server, await exported(post))).toMatchObject({ result: { ok: true } });
    expect(await stored(store)).toEqual(samplesOf(drafts));
  });
});

describe('nothing is stored of a file', () => {
  test('that was changed or cut, whoever sends it', async () => {
    const { server, store } = await runningServer();
    const file = await exported(postWith({}));
    const whole = readFileSync(file);
    const changed = Buffer.from(whole);
    // Within the last payload: everything before it would be well.
    changed[whole.length - 400] = (changed.at(-400) as number) ^ 4;
    expect(await sent(server, changed)).toEqual({ status: 400, code: 'CARRY_SIGNATURE' });
    expect(await sent(server, whole.subarray(0, -1))).toEqual({ status: 400, code: 'CARRY_CUT_SHORT' });
    expect(await sent(server, Buffer.alloc(100_000, 'x'))).toEqual({ status: 400, code: 'CARRY_NOT_OURS' });
    expect(await stored(store)).toEqual([]);
    expect(await sent(server, whole)).toMatchObject({ status: 200 });
    expect(await stored(store)).toEqual(samplesOf(drafts));
  });

  test('of another fleet, or signed by another key than the post has', async () => {
    const { server, store } = await runningServer();
    const post = postWith({ mqttUrl: server.mqttUrl }, []);
    connect(post);
    await vi.waitFor(() => expect(server.counters().births).toBeGreaterThan(0), { timeout: 30_000 });
    for (const [other, code] of [
      [postWith({ fleet: 'alai' }), 'IMPORT_FLEET_FOREIGN'],
      [postWith({}), 'IMPORT_KEY_FOREIGN'],
    ] as const) {
      expect(await imported(server, await exported(other))).toMatchObject({ result: { ok: false, fault: { code } } });
    }
    expect(await stored(store)).toEqual([]);
  });
});

describe('as a person runs it', () => {
  test('the way from post to store is two commands', async () => {
    const { server, store } = await runningServer();
    const post = postWith({});
    const file = join(post.folder, 'stick.oftob');
    const wrote = startOftob(['outbox', 'export', '--config', post.configFile, '--to', file]);
    expect(await wrote.ended, wrote.output()).toBe(0);
    const brought = startOftob(['import', file, '--server', server.url]);
    expect(await brought.ended, brought.output()).toBe(0);
    expect(await stored(store)).toEqual(samplesOf(drafts));
  });

  test('what goes wrong is told in one line, without a stack', async () => {
    const post = postWith({});
    const file = await exported(post);
    const short = join(post.folder, 'short');
    writeFileSync(short, readFileSync(file).subarray(0, 500));
    const other = postWith({});
    const gateway = startOftob(['gateway', '--config', other.configFile]);
    closers.push(() => gateway.stop());
    await gateway.until(/gateway is running/);
    const locked = startOftob(['outbox', 'export', '--config', other.configFile, '--to', other.folder]);
    const said = [
      ['outbox', 'export', '--config', post.configFile, '--to', file],
      ['outbox', 'export', '--to', file],
      ['import', short],
      ['import', file, '--server', 'http://127.0.0.1:1'],
    ].map((args) => startOftob(args));
    for (const command of [locked, ...said]) {
      expect(await command.ended).toBe(1);
      expect(command.output()).toMatch(ONE_LINE);
    }
    expect(locked.output()).toContain('OUTBOX_LOCKED: the gateway of');
  });
});
