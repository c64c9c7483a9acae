import { generateKeyPairSync } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { importFile } from '#cli/import.js';
import { outbox as exportCommand } from '#cli/outbox.js';
import { CARRY_FRAME_BYTES_MAX, CARRY_MEDIA_TYPE, createCarryWriter } from '#contract/carry.js';
import { backlog, makePostFolder, NOON, type PostFolder } from './post-folder.js';

let post: PostFolder;
let file: string;
let server: Server | undefined;
let printed: string;

beforeEach(async () => {
  printed = '';
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    printed += String(text);
    return true;
  });
  post = makePostFolder();
  mkdirSync(post.config.dataFolder);
  post.withOutbox((opened) => opened.append(backlog(NOON, 2000)));
  file = join(post.folder, 'backlog');
  await exportCommand.run({ config: post.configFile, to: file }, ['export']);
  printed = '';
});

afterEach(async () => {
  vi.restoreAllMocks();
  await new Promise((resolve) => (server === undefined ? resolve(undefined) : server.close(resolve)));
  server = undefined;
  post.remove();
});

/** A server that answers as it is told. */
async function answering(listener: RequestListener): Promise<string> {
  const started = createServer(listener);
  server = started;
  await new Promise<void>((resolve) => started.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(started.address() as AddressInfo).port}`;
}

/** Well signed, and far more than sockets hold: nobody has looked into its payloads. */
function largeFile(): Buffer {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  const spelled = publicKey.export({ format: 'der', type: 'spki' }).toString('base64');
  const chunks: Uint8Array[] = [];
  const header = {
    fleet: 'pamir',
    post: 'kyzyl-art',
    publicKey: spelled,
    createdAt: NOON,
    software: '0',
    receipted: false,
  };
  const writer = createCarryWriter(header, privateKey, (bytes) => chunks.push(bytes));
  const gateway = { version: '0', publicKey: spelled, epoch: '00112233445566aa', start: 1 };
  const birth = { birth: 1, at: NOON, clock: 'synchronised', gateway, batchPeriodMs: 60_000, devices: [], metrics: [] };
  writer.addBirth(Buffer.from(JSON.stringify(birth)));
  for (let i = 0; i < 80; i += 1)
    writer.addData(Buffer.alloc(CARRY_FRAME_BYTES_MAX, i), { records: 1, samples: 1, from: NOON, to: NOON });
  writer.finish();
  return Buffer.concat(chunks);
}

const run = (url: string, options: Record<string, boolean> = {}, words = [file]) =>
  importFile.run({ server: url, ...options }, words);
const refused = (code: string, message?: RegExp) => ({
  ok: false,
  fault: { code, ...(message !== undefined && { message: expect.stringMatching(message) }) },
});
/** Where nobody listens. */
const NOWHERE = 'http://127.0.0.1:1';

describe('an import', () => {
  test('sends the file as it is, and says what became of it', async () => {
    const seen: { url?: string; type?: string; bytes: Buffer[] } = { bytes: [] };
    const url = await answering((request, response) => {
      Object.assign(seen, { url: `${request.method} ${request.url}`, type: request.headers['content-type'] });
      request.on('data', (chunk: Buffer) => seen.bytes.push(chunk));
      request.on('end', () => response.end(JSON.stringify({ records: 2000, samples: 6000, stored: 5999, refused: 1 })));
    });
    expect(await run(url)).toMatchObject({ ok: true });
    expect(seen).toMatchObject({ url: 'POST /api/v1/import', type: CARRY_MEDIA_TYPE });
    expect(Buffer.concat(seen.bytes).equals(readFileSync(file))).toBe(true);
    expect(printed).toContain('post kyzyl-art, 2026-01-15T12:00:00.000Z to 2026-01-15T17:33:10.000Z');
    expect(printed).toMatch(/records +2000\n +samples +6000\n +stored +5999 .*\n +refused +1 /);
    printed = '';
    await run(url, { json: true });
    expect(JSON.parse(printed)).toEqual({
      file,
      fleet: 'pamir',
      post: 'kyzyl-art',
      records: 2000,
      samples: 6000,
      stored: 5999,
      refused: 1,
    });
  });

  test('hands on what the server refuses, also before it has the whole file', async () => {
    writeFileSync(file, largeFile());
    const url = await answering((request, response) => {
      request.once('data', () => {
        response.statusCode = 409;
        response.end(JSON.stringify({ code: 'CARRY_FLEET', message: 'this is the fleet "alai"' }));
      });
    });
    expect(await run(url)).toMatchObject(refused('CARRY_FLEET', /this is the fleet "alai"/));
  });

  test('checks the file before a byte of it is sent', async () => {
    const whole = readFileSync(file);
    const requests: unknown[] = [];
    const url = await answering((request) => void requests.push(request.url));
    const tampered = Buffer.from(whole);
    tampered[whole.length - 1] = (tampered.at(-1) as number) ^ 1;
    for (const [bytes, code] of [
      [whole.subarray(0, -1), 'CARRY_CUT_SHORT'],
      [tampered, 'CARRY_SIGNATURE'],
      [Buffer.from('not ours, and long enough'), 'CARRY_NOT_OURS'],
    ] as const) {
      writeFileSync(file, bytes);
      expect(await run(url)).toMatchObject(refused(code, /backlog: /));
    }
    expect(requests).toEqual([]);
  });
});

describe('an import is refused', () => {
  test('where no server answers, with the words what to do', async () => {
    expect(await run(NOWHERE)).toMatchObject(refused('CARRY_SERVER_UNREACHABLE', /start it, or name it with --server/));
  });

  test('where the server goes away before it has answered', async () => {
    const url = await answering((request) => request.once('data', () => request.socket.destroy()));
    expect(await run(url)).toMatchObject(refused('CARRY_SERVER_GONE', /import the file again/));
  });

  test.each([
    [200, '<html>welcome</html>'],
    [200, '{}'],
    [404, 'not found'],
  ])('where something else answers: %i %s', async (status, text) => {
    const url = await answering((request, response) => {
      request.resume().on('end', () => {
        response.statusCode = status;
        response.end(text);
      });
    });
    expect(await run(url)).toMatchObject(refused('CARRY_SERVER_FOREIGN', /look at --server/));
  });

  test('for a file that cannot be read, a folder, no file, two files, or a server that is no URL', async () => {
    expect(await run(NOWHERE, {}, [join(post.folder, 'none')])).toMatchObject(refused('CARRY_UNREADABLE'));
    expect(await run(NOWHERE, {}, [post.folder])).toMatchObject(refused('CARRY_UNREADABLE'));
    expect(await run(NOWHERE, {}, [])).toMatchObject(refused('USAGE'));
    expect(await run(NOWHERE, {}, [file, file])).toMatchObject(refused('USAGE'));
    expect(await run('127.0.0.1:8080')).toMatchObject(refused('USAGE'));
  });
});
