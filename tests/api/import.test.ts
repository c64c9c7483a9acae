import {
  closeSync,
  createReadStream,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { CARRY_MEDIA_TYPE, createCarryWriter } from '#contract/carry.js';
import { encodeData } from '#contract/data.js';
import { API_ROOT } from '#contract/http.js';
import { encodeJson } from '#contract/session.js';
import { postTopic } from '#contract/topic.js';
import { ok } from '#domain/result.js';
import { importCarried } from '#server/api/import-file.js';
import type { RunningServer } from '#server/server.js';
import { openEmbeddedStoreHere } from '#server/store/embedded-store.js';
import { memoryRise } from '#tests/support/huge-message.js';
import { carriedBirth, carriedFile, carriedSamples, makeKey } from './carried-file.js';
import { closeAll, closers, configOf, gateway, running } from './running-server.js';

const OWN = makeKey();
const FOREIGN = makeKey();
const DAY_AGO = Date.now() - 86_400_000;

let folder: string;
let server: RunningServer;
beforeEach(async () => {
  const config = configOf();
  folder = config.dataFolder;
  server = await running(config);
});
afterEach(closeAll);

async function post(path: string, body: Buffer | string, type = 'application/json') {
  const answer = await fetch(`${server.url}${API_ROOT}${path}`, {
    method: 'POST',
    headers: { 'content-type': type },
    body: new Uint8Array(Buffer.from(body)),
  });
  return { status: answer.status, body: (await answer.json()) as Record<string, unknown> };
}
const bring = (file: Buffer) => post('/import', file, CARRY_MEDIA_TYPE);
const spooled = (): string[] => readdirSync(folder).filter((name) => name.endsWith('.part'));

/** What the store holds, once the server has let go of it. */
async function storedValues(): Promise<unknown[]> {
  await server.stop();
  const store = openEmbeddedStoreHere({ folder });
  if (!store.ok) throw new Error(store.fault.message);
  const series = { post: 'kyzyl-art', device: 'meter-1', metric: 'load.power' };
  const points = await store.value.read(series, 0, Date.now() + 1e9);
  await store.value.close();
  if (!points.ok) throw new Error(points.fault.message);
  return points.value.map(({ value }) => value);
}

describe('data that was carried by hand', () => {
  test('is stored before the answer comes, once, whatever came by radio; the live birth and values stay', async () => {
    const birth = carriedBirth(OWN, {
      birth: 77,
      metrics: [...carriedBirth(OWN).metrics].map((m) => ({ ...m, index: m.index + 5 })),
    });
    const client = await gateway(server, birth);
    await client.subscribeAsync(postTopic('pamir', 'kyzyl-art', 'receipt'));
    const receipted = new Promise((resolve) =>
      client.on('message', (_, payload) => /"stored":\[\[/.test(String(payload)) && resolve(payload)),
    );
    const byRadio = [{ ...carriedSamples(3, 1, DAY_AGO + 2000)[0]!, index: 5 }];
    const payload = encodeData({ birth: 77, epoch: '0123456789abcdef', historical: false, samples: byRadio });
    client.publish(postTopic('pamir', 'kyzyl-art', 'data'), payload);
    await receipted;
    const file = carriedFile(OWN, {
      payloads: [carriedSamples(1, 40, DAY_AGO), carriedSamples(41, 2, DAY_AGO + 40_000)],
    });
    for (let round = 0; round < 2; round += 1)
      expect(await bring(file)).toEqual({ status: 200, body: { records: 42, samples: 42, stored: 42, refused: 0 } });
    const shown = (await (await fetch(`${server.url}${API_ROOT}/fleet`)).json()) as { posts: { flows: unknown }[] };
    expect(shown.posts[0]).toMatchObject({ flows: { loadPower: { value: 3 } } });
    expect(spooled()).toEqual([]);
    expect(server.counters()).toMatchObject({ apiImportsTaken: 2, postsInDoubt: 0 });
    expect(await storedValues()).toEqual(Array.from({ length: 42 }, (_, i) => i + 1));
  });

  test('of a post that was never heard is taken with its key and shown; another key is refused from then on', async () => {
    const file = carriedFile(OWN, { post: 'langar', payloads: [carriedSamples(1, 3, DAY_AGO)] });
    expect(await bring(file)).toMatchObject({ status: 200 });
    const answer = await fetch(`${server.url}${API_ROOT}/posts/langar`);
    expect(await answer.json()).toMatchObject({ devices: [{ id: 'meter-1' }] });
    const forged = carriedFile(FOREIGN, { post: 'langar', payloads: [carriedSamples(1, 3, DAY_AGO)] });
    expect(await bring(forged)).toMatchObject({ status: 409, body: { code: 'IMPORT_KEY_FOREIGN' } });
  });

  test('signed with a key that the post is not known by waits for a person’s word', async () => {
    await gateway(server, carriedBirth(OWN));
    await vi.waitFor(() => expect(server.counters().births).toBe(1));
    const file = carriedFile(FOREIGN, { payloads: [carriedSamples(1, 3, DAY_AGO)] });
    expect(await bring(file)).toMatchObject({ status: 409, body: { code: 'IMPORT_KEY_FOREIGN' } });
    await gateway(server, carriedBirth(FOREIGN, { birth: 90 }));
    await vi.waitFor(() => expect(server.counters().identityKeyChanged).toBe(1));
    expect(await bring(file)).toMatchObject({ status: 409 });
    expect(await post('/posts/kyzyl-art/identity/accept', '{"by":"Рустам"}')).toEqual({
      status: 200,
      body: { cleared: ['keyChanged'] },
    });
    expect(await bring(file)).toMatchObject({ status: 200, body: { stored: 3 } });
  });

  test('of another fleet, changed in one byte, cut short, or no such file at all: nothing of it is stored', async () => {
    const whole = carriedFile(OWN, { payloads: [carriedSamples(1, 300, DAY_AGO)] });
    const changed = Buffer.from(whole);
    changed[whole.length - 200]! ^= 1;
    const refused = [
      [carriedFile(OWN, { fleet: 'alai', payloads: [carriedSamples(1, 3, DAY_AGO)] }), 409, 'IMPORT_FLEET_FOREIGN'],
      [changed, 400, expect.stringMatching(/^CARRY_/)],
      [whole.subarray(0, whole.length - 1), 400, 'CARRY_CUT_SHORT'],
      [Buffer.from('PK\x03\x04 holiday.zip, by mistake'), 400, 'CARRY_NOT_OURS'],
      [Buffer.alloc(0), 400, expect.any(String)],
    ] as const;
    for (const [file, status, code] of refused) expect(await bring(file)).toMatchObject({ status, body: { code } });
    expect([spooled(), server.counters().pointsStored]).toEqual([[], 0]);
    expect(server.counters()).toMatchObject({ apiImportsTaken: 0, apiImportsRefused: 5 });
    expect(await post('/import', '{}')).toMatchObject({ status: 415 });
  });

  test('what of it can never be stored is told by number and kept as dead letters', async () => {
    const bad = [{ record: 9, index: 0, at: DAY_AGO, value: 'high', code: 0 }];
    const file = carriedFile(OWN, {
      payloads: [carriedSamples(1, 3, DAY_AGO), bad],
      rubbish: [Buffer.from('rubbish')],
    });
    expect(await bring(file)).toEqual({ status: 200, body: { records: 5, samples: 11, stored: 3, refused: 8 } });
    const letters = (await (await fetch(`${server.url}${API_ROOT}/dead-letters`)).json()) as { letters: unknown[] };
    expect(letters.letters).toMatchObject([
      { code: 'INGEST_TYPE', post: 'kyzyl-art', record: 9, samples: [{ value: 'high' }] },
      { code: 'DATA_NOT_DEFLATE', topic: 'import/kyzyl-art' },
    ]);
  });

  test('what a crash left of an import is cleared away at the next start', async () => {
    await server.stop();
    writeFileSync(join(folder, 'import-0123abcd.part'), 'half a file');
    const { dataFolder: _, ...rest } = configOf();
    await running({ ...rest, dataFolder: folder });
    expect(spooled()).toEqual([]);
  });
});

describe('a large file', () => {
  let spoolFolder: string;
  beforeEach(() => {
    spoolFolder = mkdtempSync(join(tmpdir(), 'oftob-spool-'));
    closers.push(() => rmSync(spoolFolder, { recursive: true, force: true }));
  });
  const deps = (data: () => Promise<void>) => ({
    fleet: 'pamir',
    spoolFolder,
    log: { info() {}, warn() {}, error() {} },
    ingest: {
      mayCarry: () => ok(undefined),
      openCarry: () =>
        ok({
          birth: () => ok(undefined),
          data: async () => {
            await data();
            return ok({ stored: 1, refused: 0 });
          },
        }),
    },
  });
  const file = carriedFile(OWN, {
    payloads: Array.from({ length: 200 }, (_, i) => carriedSamples(i + 1, 1, DAY_AGO + i)),
  });

  test('is fed a few payloads at a time, and none before the last byte was checked', async () => {
    let now = 0;
    let most = 0;
    let bytesRead = 0;
    let readAtFirst = 0;
    const slowly = Readable.from(
      (async function* () {
        for (let at = 0; at < file.length; at += 1000) {
          bytesRead = Math.min(file.length, at + 1000);
          yield file.subarray(at, at + 1000);
        }
      })(),
    );
    const taken = await importCarried(
      slowly,
      deps(async () => {
        readAtFirst ||= bytesRead;
        now += 1;
        most = Math.max(most, now);
        await new Promise((resolve) => setImmediate(resolve));
        now -= 1;
      }),
    );
    expect(taken).toMatchObject({ ok: true, value: { stored: 200 } });
    expect([readAtFirst, most]).toEqual([file.length, 4]);
  });

  test('of 100 MB is never in the memory', async () => {
    const path = join(spoolFolder, 'stick.oftob');
    const stick = openSync(path, 'w');
    const header = {
      fleet: 'pamir',
      post: 'langar',
      publicKey: OWN.publicKey,
      createdAt: 0,
      software: '1',
      receipted: false,
    };
    const writer = createCarryWriter(header, OWN.privateKey, (bytes) => writeSync(stick, bytes));
    writer.addBirth(encodeJson(carriedBirth(OWN)));
    const payload = Buffer.alloc(200 * 1024, 0x55);
    for (let i = 0; i < 512; i += 1) writer.addData(payload, { records: 1, samples: 1, from: 0, to: 0 });
    writer.finish();
    closeSync(stick);
    const bytes = statSync(path).size;
    let taken: Awaited<ReturnType<typeof importCarried>> | undefined;
    const rise = await memoryRise(async () => {
      taken = await importCarried(
        createReadStream(path),
        deps(async () => undefined),
      );
    });
    expect(taken).toMatchObject({ ok: true, value: { stored: 512 } });
    expect(bytes).toBeGreaterThan(100 * 1024 * 1024);
    // Whole in memory it would be one, and more.
    expect(rise / bytes).toBeLessThan(0.7);
  }, 60_000);

  test('beyond the limit is refused, and so is one that ends with its connection', async () => {
    const small = { ...deps(async () => undefined), importBytesMax: 5000 };
    expect(await importCarried(Readable.from([file]), small)).toMatchObject({ fault: { code: 'IMPORT_TOO_LARGE' } });
    const torn = new Readable({ read() {} });
    torn.push(file.subarray(0, 3000));
    setImmediate(() => torn.destroy(Object.assign(new Error('aborted'), { code: 'ECONNRESET' })));
    expect(await importCarried(torn, small)).toMatchObject({ fault: { code: 'IMPORT_CUT_OFF' } });
    expect(readdirSync(spoolFolder)).toEqual([]);
  });

  test('that would take the store’s last room is refused before it does', async () => {
    const narrow = { ...deps(async () => undefined), leftBytesMin: Number.MAX_SAFE_INTEGER };
    expect(await importCarried(Readable.from([file]), narrow)).toMatchObject({ fault: { code: 'STORE_FULL' } });
    expect(readdirSync(spoolFolder)).toEqual([]);
  });

  test('into a folder that cannot be written is a fault that says so', async () => {
    const path = join(spoolFolder, 'file');
    writeFileSync(path, '');
    const blocked = { ...deps(async () => undefined), spoolFolder: path };
    expect(await importCarried(Readable.from([file]), blocked)).toMatchObject({ fault: { code: 'STORE_UNAVAILABLE' } });
    expect(readFileSync(path, 'utf8')).toBe('');
  });
});
