// `oftob simulate` as a process: wires, replay, truth, and what it says where it cannot.
import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, expect, test } from 'vitest';
import { listScenarios } from '#simulators/scenarios/scenario.js';
import { type RunningProcess, startOftob } from '../support/processes.js';

const run = promisify(execFile);
const folders: string[] = [];
const running: RunningProcess[] = [];
afterEach(async () => {
  for (const process of running.splice(0)) await process.stop();
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

function folder(): string {
  const made = mkdtempSync(join(tmpdir(), 'oftob-simulate-'));
  folders.push(made);
  return made;
}

function simulate(...args: readonly string[]): RunningProcess {
  const process = startOftob(['simulate', ...args]);
  running.push(process);
  return process;
}

/** A scenario of one meter in a folder of its own. */
function scenarioFile(device: object, csv?: string): string {
  const file = join(folder(), 'mine.json');
  const meter = { id: 'meter', profile: 'eastron/sdm630', unit: 2, role: 'load', ...device };
  const posts = [{ id: 'post', name: 'Post', world: {}, devices: [meter] }];
  writeFileSync(file, JSON.stringify({ name: 'mine', summary: 'Mine', seed: 1, posts }));
  if (csv !== undefined) writeFileSync(join(file, '..', 'meter.csv'), csv);
  return file;
}

/** The load in watts, as mbpoll reads it. */
async function loadW(...place: readonly string[]): Promise<number> {
  const float = ['-0', '-1', '-a', '2', '-t', '3:float', '-B', '-r', '52', '-o', '5'];
  const { stdout } = await run('mbpoll', [...float, ...place]);
  return Number(/^\[52\]:\s+(\S+)/m.exec(stdout)?.[1]);
}

test('lists every scenario with its line', async () => {
  const list = simulate('--list');
  expect(await list.ended).toBe(0);
  for (const { name, summary } of listScenarios()) {
    expect(list.output()).toContain(name);
    expect(list.output()).toContain(summary);
  }
});

test('replays a recorded meter on a serial line and over TCP, and leaves no line behind', async () => {
  const file = scenarioFile({ recording: 'meter.csv' }, 'time,ac.power\n0,1234.5\n');
  const line = simulate('--config', file, '--as', 'rtu');
  const [, place = ''] = await line.until(/post\/main {2}(\S+) {2}units meter=2/);
  expect(await loadW('-m', 'rtu', '-b', '9600', '-P', 'none', place)).toBe(1234.5);
  expect(await line.stop()).toBe(0);
  expect(existsSync(place)).toBe(false);
  const tcp = simulate('--config', file, '--port', '0');
  const [, port = ''] = await tcp.until(/127\.0\.0\.1:(\d+)/);
  expect(await loadW('-m', 'tcp', '-p', port, '127.0.0.1')).toBe(1234.5);
});

test('writes the truth of a random year', async () => {
  const truth = join(folder(), 'truth.jsonl');
  const year = simulate('--scenario', 'random-year', '--seed', '9', '--port', '0', '--truth', truth);
  await year.until(/Ctrl-C/);
  const lines = readFileSync(truth, 'utf8').trim().split('\n');
  expect(lines.length).toBeGreaterThan(20);
  for (const line of lines) expect(JSON.parse(line)).toMatchObject({ post: 'random-year', from: expect.any(String) });
});

test.each<[string, () => string[], RegExp]>([
  ['an unknown wire', () => ['--scenario', 'demo', '--as', 'usb'], /--as must be one of: tcp, rtu, rtu-over-tcp/],
  [
    'a recording that is not there',
    () => ['--config', scenarioFile({ recording: 'meter.csv' })],
    /cannot read \S+meter\.csv/,
  ],
  [
    'a recording with faults',
    () => ['--config', scenarioFile({ recording: 'meter.csv' }, 'time,ac.power\n0,much\n')],
    /has 1 fault; nothing was started[\s\S]*row 2, ac\.power: "much" is no number/,
  ],
  [
    'a recording in another folder',
    () => ['--config', scenarioFile({ recording: '../meter.csv' })],
    /\/posts\/0\/devices\/0\/recording/,
  ],
])('says what is wrong with %s', async (_, args, said) => {
  const refused = simulate(...args());
  expect(await refused.ended).not.toBe(0);
  expect(refused.output()).toMatch(said);
});
