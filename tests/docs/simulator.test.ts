import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parseRecording } from '#simulators/device/recording.js';
import { FAULT_KINDS } from '#simulators/fault/fault.js';
import { listScenarios } from '#simulators/scenarios/scenario.js';
import { ROOT } from '../house/source-files.js';
import { startOftob } from '../support/processes.js';

const doc = readFileSync(join(ROOT, 'docs', 'simulator.md'), 'utf8');

test('docs/simulator.md names every fault with its measures, and no other', () => {
  const rows = [...doc.matchAll(/^\| `(\w+)` \| ([^|]*) \|[^|]+\|$/gm)];
  expect(rows.map(([, kind]) => kind).sort()).toEqual([...FAULT_KINDS.keys()].sort());
  const common = ['kind', 'fromS', 'toS', 'rampS', 'note', 'device', 'share'];
  for (const [, kind = '', measures = ''] of rows) {
    const named = [...measures.matchAll(/`(\w+)`/g)].map(([, name = '']) => name);
    const known = Object.keys((FAULT_KINDS.get(kind) as unknown as { properties: object }).properties);
    expect(known, kind).toEqual(expect.arrayContaining(named));
    expect(named, kind).toEqual(expect.arrayContaining(known.filter((name) => !common.includes(name))));
  }
});

test('docs/simulator.md tells each scenario in the words of the list', () => {
  for (const { name, summary } of listScenarios()) expect(doc).toContain(`| \`${name}\` | ${summary} |`);
});

test('the recording that docs/simulator.md shows can be replayed', () => {
  const csv = /```csv\n([\s\S]*?)```/.exec(doc)?.[1] ?? '';
  expect(parseRecording(csv)).toMatchObject({ ok: true });
});

test('oftob simulate knows every option that docs/simulator.md names', async () => {
  const help = startOftob(['simulate', '--help']);
  expect(await help.ended).toBe(0);
  for (const [, option = ''] of doc.matchAll(/`--([\w-]+)/g)) expect(help.output()).toContain(`--${option}`);
});
