// `oftob export` and `oftob backup` against a whole server.
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { backup } from '#cli/backup.js';
import { exportFile } from '#cli/export.js';
import { openEmbeddedStoreHere } from '#server/store/embedded-store.js';
import { createSqliteRegistry } from '#server/store/sqlite-registry.js';
import { closeAll, configOf, running } from '../api/running-server.js';

const root = mkdtempSync(join(tmpdir(), 'oftob-export-command-'));
const T0 = Date.UTC(2026, 5, 1);
const COUNT = 20_000;
const points = Array.from({ length: COUNT }, (_, i) => ({
  ...{ post: 'kyzyl-art', device: 'meter-1', metric: 'load.power', at: T0 + i * 10_000, value: i % 977, code: 0 },
}));
const config = configOf();
let url: string;
let printed: string;
let count = 0;

beforeEach(async () => {
  printed = '';
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    printed += String(text);
    return true;
  });
  const opened = openEmbeddedStoreHere({ folder: config.dataFolder });
  if (!opened.ok) throw new Error(opened.fault.message);
  await opened.value.write(points);
  await opened.value.close();
  url = (await running(config)).url;
});
afterEach(async () => {
  vi.restoreAllMocks();
  await closeAll();
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

const fresh = (): string => join(root, `file-${++count}`);
const run = (file: string, options: Record<string, string | boolean> = {}) =>
  exportFile.run(
    {
      ...{ server: url, posts: 'kyzyl-art', metrics: 'meter-1/load.power' },
      ...{ from: String(T0), to: String(T0 + COUNT * 10_000), ...options },
    },
    [file],
  );

describe('a file that is exported', () => {
  test.each(['csv', 'jsonl'])('as %s is whole, and found out when it is cut or changed anywhere', async (format) => {
    const file = fresh();
    expect(await run(file, { format })).toMatchObject({ ok: true });
    expect(printed).toMatch(new RegExp(`whole: ${COUNT} rows, SHA-256 [0-9a-f]{64}\n$`));
    const bytes = readFileSync(file);
    const check = async (changed: Uint8Array): Promise<string> => {
      writeFileSync(file, changed);
      const checked = await run(file, { check: true, server: 'http://127.0.0.1:1' });
      return checked.ok ? 'whole' : checked.fault.code;
    };
    expect(await check(bytes)).toBe('whole');
    for (const length of [0, 1, 100, 70_000, bytes.length - 200, bytes.length - 3])
      expect(await check(bytes.subarray(0, length))).toBe('EXPORT_CUT_OFF');
    for (const place of [3, 300, 65_536, bytes.length - 300, bytes.length - 8]) {
      const changed = Buffer.from(bytes);
      changed[place] = (changed[place] ?? 0) ^ 1;
      expect(await check(changed)).toMatch(/^EXPORT_(CHANGED|CUT_OFF)$/);
    }
    expect(await check(Buffer.concat([bytes.subarray(0, 50), bytes.subarray(51)]))).toBe('EXPORT_CHANGED');
  });

  test('as a workbook is there, and tells that it is none to check', async () => {
    const file = fresh();
    expect(await run(file, { format: 'xlsx', to: String(T0 + 100_000) })).toMatchObject({ ok: true });
    expect(await run(file, { check: true })).toMatchObject({ ok: false, fault: { code: 'EXPORT_WORKBOOK' } });
  });
});

test('what cannot be exported leaves no file behind', async () => {
  const cut = createServer((_request, response) => {
    response.writeHead(200, { 'content-type': 'text/csv' });
    response.write('time,value\r\n');
    setImmediate(() => response.destroy());
  });
  await new Promise<void>((resolve) => cut.listen(0, '127.0.0.1', resolve));
  const there = fresh();
  writeFileSync(there, 'x');
  const file = fresh();
  const results = [
    await run(there),
    await run(file, { metrics: 'nothing' }),
    await run(file, { server: 'http://127.0.0.1:1' }),
    await run(file, { server: `http://127.0.0.1:${(cut.address() as AddressInfo).port}` }),
    await run(join(root, 'no', 'folder')),
    await run(file, { check: true }),
  ];
  cut.close();
  expect(results.map((result) => (result.ok ? '' : result.fault.code))).toEqual([
    'EXPORT_FILE_EXISTS',
    expect.stringMatching(/^API_/),
    'EXPORT_SERVER_UNREACHABLE',
    'EXPORT_CUT_OFF',
    'EXPORT_UNWRITABLE',
    'EXPORT_UNREADABLE',
  ]);
  expect(existsSync(file) || existsSync(`${file}.part`)).toBe(false);
});

test('a backup of a running server opens as what it copied', async () => {
  expect(await backup.run({ server: url }, [])).toMatchObject({ ok: true });
  const [, folder = ''] = /^Backed up to (\S+) /.exec(printed) ?? [];
  const store = openEmbeddedStoreHere({ folder });
  const registry = createSqliteRegistry({ folder });
  if (!store.ok || !registry.ok) throw new Error(printed);
  const read = await store.value.read({ post: 'kyzyl-art', device: 'meter-1', metric: 'load.power' }, 0, T0 * 2);
  expect(read.ok && read.value.length).toBe(COUNT);
  await store.value.close();
  registry.value.close();
});
