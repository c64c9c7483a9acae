// Exports over a whole application: what is in the file is what is stored, and its last line proves it.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { parseTrailer } from '#contract/export.js';
import { API_ROOT } from '#contract/http.js';
import { codeOf, type Reason } from '#domain/quality.js';
import { csvFile, jsonlFile } from '#server/export/text-files.js';
import { xlsxFile } from '#server/export/xlsx-file.js';
import { type FakeServer, fakeServer, KYZYL_ART, meterBirth, NOON } from '../api/fake-server.js';

const MINUTE = 60_000;
const LANGAR = { ...KYZYL_ART, id: 'langar', name: 'Langar', zone: 'Europe/Berlin' };
let server: FakeServer;

beforeEach(async () => {
  server = await fakeServer({ posts: [KYZYL_ART, LANGAR] });
  server.ingest.know('langar', { birth: meterBirth() });
});
afterEach(() => server.app.close());

function put(at: number, metric: string, value: number | null, reason: Reason = 'good', post = 'kyzyl-art'): void {
  server.store.points.push({ post, device: 'meter-1', metric, at, value, code: codeOf(reason) });
}

async function ask(words: Record<string, string | number>) {
  const query = new URLSearchParams(Object.entries(words).map(([name, word]) => [name, String(word)]));
  return server.app.inject({ url: `${API_ROOT}/export?${query}` });
}

const SOME = {
  posts: 'kyzyl-art',
  metrics: 'meter-1/load.power,meter-1/load.energy',
  from: NOON - 60 * MINUTE,
  to: NOON,
};

/** The lines before the trailer, after the trailer was found true. */
function checked(body: string): string[] {
  const cut = body.trimEnd().lastIndexOf('\n') + 1;
  const trailer = parseTrailer(body.slice(cut));
  expect(trailer?.sha256).toBe(createHash('sha256').update(body.slice(0, cut)).digest('hex'));
  return body.slice(0, cut).trimEnd().split(/\r?\n/);
}

describe('an export', () => {
  test('as CSV has a row for each moment, the unit in the head, the zone in the time, and what is not good beside it', async () => {
    put(NOON - 2 * MINUTE, 'load.power', 1234.5);
    put(NOON - 2 * MINUTE, 'load.energy', 100_000);
    put(NOON - MINUTE, 'load.power', null, 'timeout');
    const answer = await ask(SOME);
    expect(answer.headers['content-disposition']).toMatch(/filename="[a-z0-9-]+-kyzyl-art-2026-06-21-2026-06-21\.csv"/);
    expect(checked(answer.body)).toEqual([
      'time,post,meter-1/load.power [W],meter-1/load.energy [Wh],not good',
      '2026-06-21T11:58:00.000+05:00,kyzyl-art,1234.5,100000,',
      '2026-06-21T11:59:00.000+05:00,kyzyl-art,,,meter-1/load.power: timeout',
    ]);
    expect(parseTrailer(answer.body.trimEnd().split('\n').at(-1) ?? '')?.rows).toBe(2);
  });

  test('of several posts tells each time by its post’s clock, with semicolons if wanted', async () => {
    put(NOON - MINUTE, 'load.power', 1);
    put(NOON - MINUTE, 'load.power', 2, 'good', 'langar');
    const words = {
      ...SOME,
      posts: 'kyzyl-art,langar',
      metrics: 'meter-1/load.power',
      layout: 'long',
      separator: 'semicolon',
    };
    expect(checked((await ask(words)).body)).toEqual([
      'time;post;device;metric;unit;value;quality;reason',
      '2026-06-21T11:59:00.000+05:00;kyzyl-art;meter-1;load.power;W;1;good;good',
      '2026-06-21T08:59:00.000+02:00;langar;meter-1;load.power;W;2;good;good',
    ]);
  });

  test('as JSON lines leaves out what is not known', async () => {
    put(NOON - MINUTE, 'load.power', null, 'timeout');
    const [line = ''] = checked((await ask({ ...SOME, format: 'jsonl' })).body);
    expect(JSON.parse(line)).toEqual({
      time: '2026-06-21T11:59:00.000+05:00',
      post: 'kyzyl-art',
      device: 'meter-1',
      metric: 'load.power',
      unit: 'W',
      quality: 'invalid',
      reason: 'timeout',
    });
  });

  test('of windows tells what each rests on', async () => {
    for (let minute = 0; minute < 60; minute += 1) put(NOON - 60 * MINUTE + minute * MINUTE, 'load.power', 1000);
    const lines = checked((await ask({ ...SOME, metrics: 'meter-1/load.power', resolution: 'quarter' })).body);
    expect(lines[1]).toBe(
      '2026-06-21T11:00:00.000+05:00,2026-06-21T11:15:00.000+05:00,kyzyl-art,meter-1,load.power,W,15,1,1000,1000,1000,1000,1000,,,',
    );
    expect(lines).toHaveLength(5);
  });

  test('tells all that is wrong with what is asked for', async () => {
    const answer = await ask({ ...SOME, posts: 'nowhere', from: NOON, to: NOON - 1 });
    expect(answer.statusCode).toBe(400);
    expect(answer.body).toContain('nowhere');
    expect(answer.body).toContain('/to');
    expect((await ask({ ...SOME, format: 'pdf' })).body).toContain('/format');
    const all = await ask({ ...SOME, from: NOON - 1, to: NOON - 2, format: 'pdf', layout: 'tall', limit: 5 });
    const paths = all.json<{ faults: { path: string }[] }>().faults.map(({ path }) => path);
    expect(paths).toEqual(['/limit', '/format', '/layout', '/to']);
    expect((await ask({ ...SOME, resolution: 'auto' })).statusCode).toBe(400);
  });

  test('ends without its last line when the store no longer answers', async () => {
    put(NOON - MINUTE, 'load.power', 1);
    server.store.read = async () => ({ ok: false, fault: { code: 'STORE_UNAVAILABLE', message: 'gone' } });
    const answer = await ask(SOME).catch(() => undefined);
    expect(answer === undefined || !answer.body.includes('sha256=')).toBe(true);
  });
});

async function textOf(file: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  for await (const piece of file) pieces.push(piece);
  return Buffer.concat(pieces);
}

const table = (rows: readonly (readonly (string | number | boolean | null)[])[]) => ({
  heads: ['a', 'b'],
  rows: (async function* () {
    yield* rows;
  })(),
});

test('texts that a spreadsheet would take for formulas, or that hold marks, are written so that they are read as texts', async () => {
  const rows = [
    ['=1+1', 'say "no", please'],
    ['two\nlines', '-5'],
  ];
  expect((await textOf(csvFile(table(rows), 'comma'))).toString()).toContain(
    `a,b\r\n'=1+1,"say ""no"", please"\r\n"two\nlines",'-5\r\n`,
  );
  expect((await textOf(jsonlFile(table(rows)))).toString()).toContain('{"a":"=1+1","b":"say \\"no\\", please"}\n');
});

test('a workbook is read by another program as it was written, over several sheets', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'oftob-xlsx-'));
  try {
    const moment = { at: Date.UTC(2026, 0, 1), iso: '2026-01-01T05:00:00.000+05:00', offsetMs: 5 * 3_600_000 };
    const rows = [
      [moment, 'a<b & "c" ☀'],
      [1.5, null],
      [true, 'x\u0000y'],
    ] as never;
    const path = join(folder, 'file.xlsx');
    writeFileSync(path, await textOf(xlsxFile(table(rows), { from: 'then' }, { sheetRowsMax: 3 })));
    const program = `
import json, sys, zipfile, xml.etree.ElementTree as E
z = zipfile.ZipFile(sys.argv[1]); assert z.testzip() is None
n = {'m': 'http://schemas.openxmlformats.org/spreadsheetml/2006/main'}
book = E.fromstring(z.read('xl/workbook.xml')); E.fromstring(z.read('xl/styles.xml')); E.fromstring(z.read('[Content_Types].xml'))
out = {}
for i, s in enumerate(book.findall('.//m:sheet', n), 1):
    root = E.fromstring(z.read('xl/worksheets/sheet%d.xml' % i))
    out[s.get('name')] = [[(c.findtext('m:v', None, n) or c.findtext('m:is/m:t', None, n)) for c in r.findall('m:c', n)] for r in root.findall('.//m:row', n)]
print(json.dumps(out))
`;
    const read = spawnSync('python3', ['-c', program, path], { encoding: 'utf8' });
    expect(read.stderr).toBe('');
    expect(JSON.parse(read.stdout)).toEqual({
      'data 1': [
        ['a', 'b'],
        [String(46_023 + 5 / 24), 'a<b & "c" ☀'],
        ['1.5', null],
      ],
      'data 2': [
        ['a', 'b'],
        ['1', 'x\ufffdy'],
      ],
      about: [
        ['from', 'then'],
        ['rows', '3'],
        [expect.stringContaining('SHA-256'), expect.stringMatching(/^[0-9a-f]{64}$/)],
      ],
    });
  } finally {
    rmSync(folder, { recursive: true });
  }
});
