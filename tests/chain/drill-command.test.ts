import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ROOT } from '../house/source-files.js';
import { startOftob } from '../support/processes.js';

const LAST_LINE =
  /\nproduced (\d+), stored (\d+), missing 0, duplicated 0, altered 0, unwritten (\d+), aggregated (\d+), expired (\d+)\n$/;

test('a person drills a site of their own, and the last line says that nothing is lost', async () => {
  const config = join(ROOT, 'deploy', 'gateway.yaml');
  const drill = startOftob(['drill', '--seed', '3', '--hours', '0.1', '--config', config]);
  expect(await drill.ended).toBe(0);
  const [, produced, stored, unwritten, aggregated, expired] = (drill.output().match(LAST_LINE) ?? []).map(Number);
  expect(produced).toBeGreaterThan(5_000);
  expect(produced).toBe([stored, unwritten, aggregated, expired].reduce((sum, count = 0) => (sum ?? 0) + count, 0));
});

test('the same in one document, of the demo’s post', async () => {
  const drill = startOftob(['drill', '--seeds', '1', '--hours', '0.1', '--json']);
  expect(await drill.ended).toBe(0);
  expect(JSON.parse(drill.output())).toMatchObject({ seed: 1, seeds: 1, missing: 0, duplicated: 0, failures: [] });
});

test('a wrong number is told in a line', async () => {
  const drill = startOftob(['drill', '--hours', 'many']);
  expect(await drill.ended).toBe(1);
  expect(drill.output()).toBe('oftob: USAGE: --hours must be a number from 0.1 to 1000, not "many"\n');
});
