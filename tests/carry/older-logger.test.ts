// A file of an older logger, from the command to the store of a real server.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, expect, test, vi } from 'vitest';
import { importFile } from '#cli/import.js';
import { ROOT } from '#tests/house/source-files.js';
import { closeAll, configOf, running } from '../api/running-server.js';
import { loggerFile } from './logger.js';

const folder = mkdtempSync(join(tmpdir(), 'oftob-older-'));
const file = join(folder, 'logger.csv');
const mapping = join(ROOT, 'deploy', 'mapping.yaml');
let url: string;
let printed: string;

beforeEach(async () => {
  writeFileSync(file, loggerFile());
  rmSync(`${file}.rejects.jsonl`, { force: true });
  printed = '';
  url = (await running(configOf())).url;
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    printed += String(text);
    return true;
  });
});
afterEach(async () => {
  vi.restoreAllMocks();
  await closeAll();
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const run = (options: Record<string, string | boolean> = {}, words = [file]) =>
  importFile.run({ server: url, mapping, by: 'Zarina', ...options }, words);

async function exported(): Promise<string[]> {
  const metrics = 'inverter/pv.power,inverter/pv.energy,battery/battery.soc,pump/pump.state';
  const query = `posts=kyzyl-art&metrics=${metrics}&resolution=raw&format=jsonl`;
  const answer = await fetch(`${url}/api/v1/export?${query}&from=2024-03-01T00:00:00Z&to=2024-03-02T00:00:00Z`);
  expect(answer.status).toBe(200);
  return (await answer.text()).trim().split('\n');
}

test('is stored once however often it is imported, tells what it could not take, and stands in the journal', async () => {
  expect(await run()).toMatchObject({ ok: true });
  expect(printed).toContain('rows      7');
  expect(printed).toContain('points    17');
  expect(printed).toContain('stored    17');
  expect(printed).toContain('rejected  5');
  expect(printed).toContain('inverter/pv.power    4 points, 0 … 1750 W, 1 without a value; first 0, last 1750');
  const rejects = readFileSync(`${file}.rejects.jsonl`, 'utf8').trim().split('\n');
  expect(rejects.map((line) => JSON.parse(line)).map(({ code, line }) => `${line} ${code}`)).toEqual([
    '7 IMPORT_NUMBER',
    '8 IMPORT_TIME',
    '9 IMPORT_RANGE',
    '9 IMPORT_STATE',
    '10 IMPORT_ROW',
  ]);
  const once = await exported();
  expect(await run()).toMatchObject({ ok: true });
  const twice = await exported();
  expect(twice.slice(0, -1)).toEqual(once.slice(0, -1));
  expect(once.length).toBeGreaterThan(17);
  const journal = (await (await fetch(`${url}/api/v1/journal?post=kyzyl-art`)).json()) as { entries: object[] };
  expect(journal.entries).toHaveLength(2);
  expect(journal.entries[0]).toMatchObject({
    rule: 'import',
    event: 'imported',
    by: 'Zarina',
    comment: expect.stringMatching(
      /^logger\.csv: 17 points from 2024-03-01T01:00:00.000Z to 2024-03-01T01:50:00.000Z, 5 rejected, SHA-256 [0-9a-f]{64}$/,
    ),
  });
});

test('a dry run sends nothing', async () => {
  expect(await run({ 'dry-run': true, server: 'http://127.0.0.1:1' })).toMatchObject({ ok: true });
  expect(printed).toContain('Read, and sent nothing of,');
  expect(printed).not.toContain('stored');
});

test('what cannot be done is told in one line', async () => {
  const wrong = join(folder, 'mapping.yaml');
  writeFileSync(wrong, readFileSync(mapping, 'utf8').replace('post: kyzyl-art', 'post: nowhere'));
  const faults = [
    await run({ mapping: join(folder, 'none.yaml') }),
    await run({}, [join(folder, 'none.csv')]),
    await run({}, []),
    await run({ server: 'http://127.0.0.1:1' }),
    await run({ mapping: wrong }),
  ];
  expect(faults.map((result) => (result.ok ? '' : result.fault.code))).toEqual([
    'CONFIG_UNREADABLE',
    'IMPORT_UNREADABLE',
    'USAGE',
    'IMPORT_SERVER_UNREACHABLE',
    'API_POST_UNKNOWN',
  ]);
});

test('points that make no sense are refused with their place', async () => {
  const post = async (body: object) => {
    const answer = await fetch(`${url}/api/v1/posts/kyzyl-art/points`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    return { status: answer.status, ...((await answer.json()) as object) };
  };
  const series = [
    { device: 'd', metric: 'pv.power' },
    { device: 'd', metric: 'pv.pover' },
  ];
  expect(
    await post({
      series,
      points: [
        [2, 0, 1, 0],
        [0, 0, null, 0],
        [0, 0, 1, 99],
      ],
    }),
  ).toMatchObject({
    status: 400,
    code: 'API_INVALID',
    faults: [
      { path: 'series[1].metric' },
      { path: 'points[0][0]' },
      { path: 'points[1][2]' },
      { path: 'points[2][3]' },
    ],
  });
  const good = {
    series: series.slice(0, 1),
    points: [
      [0, Date.UTC(1970, 0, 2), 1, 0],
      [0, Date.UTC(2024, 0), 'on', 0],
      [0, Date.UTC(2024, 0), 1, 0],
    ],
  };
  expect(await post(good)).toEqual({
    status: 200,
    stored: 1,
    refused: [
      { index: 0, code: 'STORE_TIME' },
      { index: 1, code: 'STORE_TYPE' },
    ],
  });
});
