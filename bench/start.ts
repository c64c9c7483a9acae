// From `npm ci` to the first live value, as a newcomer has it: a fresh clone, the README's two commands.
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { FleetResponse } from '#contract/http.js';
import { printTable } from './table.js';

const folder = mkdtempSync(join(tmpdir(), 'oftob-start-'));
const seconds = (from: number): string => ((performance.now() - from) / 1000).toFixed(1);
function run(program: string, args: readonly string[], cwd: string): void {
  const { status } = spawnSync(program, args, { cwd, stdio: ['ignore', 'ignore', 'inherit'] });
  if (status !== 0) throw new Error(`${program} ${args.join(' ')} ended with ${status}`);
}
run('git', ['clone', '--quiet', '.', folder], '.');
const startedAt = performance.now();
run('npm', ['ci'], folder);
const installed = seconds(startedAt);
const demoAt = performance.now();
const demo = spawn('npm', ['start', '--', '--port', '0'], {
  cwd: folder,
  stdio: ['ignore', 'pipe', 'inherit'],
  detached: true,
});
let text = '';
const url = await new Promise<string>((resolve) =>
  demo.stdout.on('data', (chunk: Buffer) => {
    text += chunk.toString('utf8');
    const found = /http:\/\/127\.0\.0\.1:\d+/.exec(text);
    if (found !== null) resolve(found[0]);
  }),
);
const printed = seconds(demoAt);
for (;;) {
  const { posts } = (await (await fetch(`${url}/api/v1/fleet`)).json()) as FleetResponse;
  if (posts.length === 3 && posts.every(({ flows }) => typeof flows.batterySoc?.value === 'number')) break;
  await new Promise((resolve) => setTimeout(resolve, 50));
}
printTable(
  'A fresh clone',
  ['step', 'seconds'],
  [
    ['npm ci, build included', installed],
    ['npm start → address printed', printed],
    ['npm start → three posts live', seconds(demoAt)],
    ['in all', seconds(startedAt)],
  ],
);
process.kill(-(demo.pid ?? 0), 'SIGINT');
await new Promise((resolve) => demo.once('close', resolve));
rmSync(join(folder), { recursive: true, force: true });
