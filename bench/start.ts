// From `npm start` to the first live values. With `--install` as a newcomer has it: a fresh clone of what is committed, and
// the README's two commands; without it this folder as it stands, built.
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { FleetResponse } from '#contract/http.js';
import { printTable } from './table.js';

const POSTS = 3;
const WAIT_MS = 60_000;
const { values } = parseArgs({ options: { install: { type: 'boolean', default: false } } });
const seconds = (from: number): string => ((performance.now() - from) / 1000).toFixed(1);

function run(program: string, args: readonly string[], cwd: string): void {
  const { status } = spawnSync(program, args, { cwd, stdio: ['ignore', 'ignore', 'inherit'] });
  if (status !== 0) throw new Error(`${program} ${args.join(' ')} ended with ${status}`);
}

async function startAndWait(cwd: string): Promise<(string | number)[][]> {
  const startedAt = performance.now();
  const demo = spawn('npm', ['start', '--', '--port', '0'], {
    cwd,
    stdio: ['ignore', 'pipe', 'inherit'],
    detached: true,
  });
  const ended = new Promise<void>((resolve) => demo.once('close', () => resolve()));
  try {
    const url = await new Promise<string>((resolve, reject) => {
      let text = '';
      demo.stdout.on('data', (chunk: Buffer) => {
        text += chunk.toString('utf8');
        const found = /http:\/\/127\.0\.0\.1:\d+/.exec(text);
        if (found !== null) resolve(found[0]);
      });
      void ended.then(() => reject(new Error(`npm start ended: ${text}`)));
    });
    const printed = seconds(startedAt);
    let first = '';
    for (;;) {
      const { posts } = (await (await fetch(`${url}/api/v1/fleet`)).json()) as FleetResponse;
      const live = posts.filter(({ flows }) => typeof flows.batterySoc?.value === 'number').length;
      if (live > 0 && first === '') first = seconds(startedAt);
      if (live === POSTS) break;
      if (performance.now() - startedAt > WAIT_MS) throw new Error(`${live} of ${POSTS} posts are live`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    return [
      ['npm start → address printed', printed],
      ['npm start → first live value', first],
      ['npm start → three posts live', seconds(startedAt)],
    ];
  } finally {
    process.kill(-(demo.pid ?? 0), 'SIGINT');
    await ended;
  }
}

if (values.install) {
  const folder = mkdtempSync(join(tmpdir(), 'oftob-start-'));
  try {
    run('git', ['clone', '--quiet', '.', folder], '.');
    const startedAt = performance.now();
    run('npm', ['ci'], folder);
    const installed = seconds(startedAt);
    const rows = await startAndWait(folder);
    printTable('A fresh clone', ['step', 'seconds'], [['npm ci, build included', installed], ...rows]);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
} else printTable('This folder, built', ['step', 'seconds'], await startAndWait('.'));
