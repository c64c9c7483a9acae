import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ROOT } from '#tests/house/source-files.js';
import { parseMapping } from './mapping.js';

const faultsOf = (text: string): string[] => {
  const parsed = parseMapping(text);
  return parsed.ok ? [] : parsed.fault.map(({ message, path }) => `${path}: ${message}`);
};

test('the example is without a fault', () => {
  expect(faultsOf(readFileSync(join(ROOT, 'deploy', 'mapping.yaml'), 'utf8'))).toEqual([]);
});

test('every fault is told at once, with its line and what to write', () => {
  expect(
    faultsOf(`post: Kyzyl
separator: ","
time: { column: t, colour: red }
columns: [{ column: a, device: inverter, metric: pv.power, unit: furlong }]
`),
  ).toEqual([
    expect.stringMatching(/^post: .*\(line 1\)$/),
    expect.stringMatching(/^time\.colour: .*\(line 3\)$/),
    expect.stringMatching(/^columns\[0\]\.unit: .*\(line 4\)$/),
  ]);
  expect(
    faultsOf(`post: langar
decimal: ","
time: { column: t, format: quarter past, zone: Asia/Nowhere }
columns:
  - { column: a, device: inverter, metric: pv.pover, unit: kW }
  - { column: b, device: inverter, metric: pv.power, unit: kWh }
  - { column: c, device: pump, metric: pump.state, unit: kW }
  - { column: d, device: inverter, metric: pv.power, states: { "1": "on" }, range: [5, 1] }
`),
  ).toEqual([
    'decimal: "," parts the columns too; write the separator of the file (line 2)',
    'time.format: "quarter past" is neither iso, epoch-s nor epoch-ms, nor made of YYYY MM DD HH mm ss (line 3)',
    'time.zone: "Asia/Nowhere" is no IANA time zone; write one such as Asia/Dushanbe (line 3)',
    expect.stringMatching(/^columns\[0\]\.metric: "pv\.pover" is no metric of Oftob; there is pv\..* \(line 5\)$/),
    'columns[1].unit: kWh cannot become W, the unit of pv.power (line 6)',
    'columns[2].unit: pump.state is a state and has no unit (line 7)',
    'columns[3].states: pv.power is a number and has no states (line 8)',
    'columns[3].range: needs the smaller number first (line 8)',
  ]);
  expect(faultsOf('post: langar\ntime: { column: t, format: DD.MM.YYYY }')).toEqual([
    '/: needs either columns (a column for each series) or long (a row for each value)',
    'time: needs zone: these times do not say of which zone they are; write one such as Asia/Dushanbe (line 2)',
  ]);
});
