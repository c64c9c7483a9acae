import { createReadStream, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { parseMapping } from './mapping.js';
import { createRowReader } from './points.js';
import { rowsOf } from './rows.js';

const folder = mkdtempSync(join(tmpdir(), 'oftob-import-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const NOW = Date.UTC(2026, 0);

/** Points as `device/metric time value code`, rejects as `line column code`. */
async function read(mapping: string, content: string | Buffer): Promise<{ points: string[]; rejects: string[] }> {
  const parsed = parseMapping(mapping);
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.fault));
  const file = join(folder, 'file');
  writeFileSync(file, content);
  const reader = createRowReader(parsed.value, NOW);
  const points: string[] = [];
  const rejects: string[] = [];
  for await (const row of rowsOf(createReadStream(file), parsed.value)) {
    const outcome = reader(row);
    for (const { at, code, device, metric, value } of outcome.points)
      points.push(`${device}/${metric} ${new Date(at).toISOString().slice(0, 16)} ${value} ${code}`);
    for (const { code, column = '', line } of outcome.rejects) rejects.push(`${line} ${column} ${code}`);
  }
  return { points, rejects };
}

test('a file with the columns by number, quotes, a line break in a cell, and rows that are too short or too long', async () => {
  const mapping = `
post: langar
header: false
time: { column: 1, format: epoch-s }
columns:
  - { column: 2, device: tank, metric: tank.level, unit: "%" }
  - { column: 3, device: pump, metric: pump.state }
`;
  const rows = [
    '1709273700,"50","dry\nrun"',
    '1709273760,51',
    '1709273820,52,off,1',
    '4000000000,53,off',
    '1709273880,,off',
  ];
  const wanted = mapping.replace('tank.level, unit: "%"', 'battery.soc');
  expect(await read(wanted, rows.join('\n'))).toEqual({
    points: [
      'tank/battery.soc 2024-03-01T06:15 50 0',
      'pump/pump.state 2024-03-01T06:15 dry\nrun 0',
      'pump/pump.state 2024-03-01T06:18 off 0',
    ],
    rejects: ['3  IMPORT_ROW', '4  IMPORT_ROW', '5  IMPORT_FUTURE'],
  });
});

test('JSON lines, nested, a row for each value, and names that the mapping does not know', async () => {
  const mapping = `
post: langar
format: jsonl
time: { column: t }
long:
  name: tag.name
  value: v
  series:
    flow: { device: meter, metric: water.flow, unit: L/min }
    soc: { device: battery, metric: battery.soc, factor: 0.1, missing: [65535] }
`;
  const lines = [
    { t: '2024-03-01T06:00:00Z', tag: { name: 'flow' }, v: 50 },
    { t: '2024-03-01T06:01:00Z', tag: { name: 'soc' }, v: 815 },
    { t: '2024-03-01T06:02:00Z', tag: { name: 'soc' }, v: 65535 },
    { t: '2024-03-01T06:03:00Z', tag: { name: 'other' }, v: 1 },
    { t: '2024-03-01T06:04:00Z', tag: { name: 'soc' }, v: null },
    { t: '2024-03-01T06:05:00Z', tag: { name: 'soc' }, v: 'NaN' },
  ];
  const content = `${lines.map((line) => JSON.stringify(line)).join('\n')}\nnonsense\n`;
  expect(await read(mapping, content)).toEqual({
    points: [
      'meter/water.flow 2024-03-01T06:00 3 0',
      'battery/battery.soc 2024-03-01T06:01 81.5 0',
      'battery/battery.soc 2024-03-01T06:02 null 32',
    ],
    rejects: ['4 v IMPORT_SERIES', '6 v IMPORT_NUMBER', '7  IMPORT_ROW'],
  });
});

test('a column that is not there is told with those that are', async () => {
  const mapping = 'post: a\ntime: { column: t }\ncolumns: [{ column: soc, device: b, metric: battery.soc }]';
  await expect(read(mapping, 'Time, SoC\n1,2')).rejects.toThrow('lacks the column "t", "soc"; it has "Time", "SoC"');
});

test('UTF-16 with its mark, and an empty file', async () => {
  const mapping =
    'post: a\nencoding: utf-16le\ntime: { column: t }\ncolumns: [{ column: Заряд, device: b, metric: battery.soc }]';
  const text = '\ufefft,Заряд\n2024-03-01T06:00Z,7\n';
  expect((await read(mapping, Buffer.from(text, 'utf16le'))).points).toEqual(['b/battery.soc 2024-03-01T06:00 7 0']);
  expect(await read(mapping, '')).toEqual({ points: [], rejects: [] });
});
