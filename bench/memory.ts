// Resident memory of a server and of a gateway as processes of their own, in steady state. Run `npm run build` first.
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gatewayYaml } from '#cli/demo/fleet-of.js';
import { loadScenario } from '#simulators/scenarios/scenario.js';
import { printTable } from './table.js';

const STEADY_MS = 60_000;
const folder = mkdtempSync(join(tmpdir(), 'oftob-memory-'));
const children: ReturnType<typeof spawn>[] = [];

function start(
  args: readonly string[],
  ready: RegExp,
): Promise<{ pid: number; match: RegExpMatchArray; text: () => string }> {
  const child = spawn(process.execPath, ['dist/cli/oftob.js', ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  children.push(child);
  let text = '';
  return new Promise((resolve, reject) => {
    const hear = (chunk: Buffer): void => {
      text += chunk.toString('utf8');
      const match = text.match(ready);
      if (match !== null) resolve({ pid: child.pid ?? 0, match, text: () => text });
    };
    child.stdout.on('data', hear);
    child.stderr.on('data', hear);
    child.once('exit', () => reject(new Error(text)));
  });
}

function residentMb(pid: number): number {
  return Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024;
}

/** The broker's port stands in two configurations, so it must be known before. */
function freePort(): Promise<number> {
  const probe = createServer();
  return new Promise((resolve) =>
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address();
      probe.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    }),
  );
}

// Also where it fails midway.
process.once('exit', () => {
  for (const child of children) child.kill('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
});

const scenario = loadScenario('demo');
const post = scenario.ok ? scenario.value.posts[0] : undefined;
if (post === undefined) throw new Error('no demo');
const simulator = await start(
  ['simulate', '--scenario', 'demo', '--port', '0', '--patient'],
  /kyzyl-art\/main\s+127\.0\.0\.1:(\d+)/,
);
const brokerPort = await freePort();
writeFileSync(
  join(folder, 'server.yaml'),
  `fleet: demo\ndataFolder: ${folder}/server\nhttp: { port: 0 }\nbrokerPort: ${brokerPort}\nposts: [{ id: kyzyl-art }]\n`,
);
const server = await start(['server', '--config', join(folder, 'server.yaml')], /http:\/\/\S+/);
writeFileSync(
  join(folder, 'gateway.yaml'),
  gatewayYaml(post, {
    mqttUrl: `mqtt://127.0.0.1:${brokerPort}`,
    dataFolder: join(folder, 'gateway'),
    busPorts: new Map([['main', Number(simulator.match[1])]]),
  }),
);
const gateway = await start(['gateway', '--config', join(folder, 'gateway.yaml')], /gateway is running/);
await new Promise((resolve) => setTimeout(resolve, STEADY_MS));
printTable(
  `Resident memory after ${STEADY_MS / 1000} s, one post of five devices polled each 5 s`,
  ['process', 'MB'],
  [
    ['server (broker and store in it)', residentMb(server.pid).toFixed(0)],
    ['gateway', residentMb(gateway.pid).toFixed(0)],
    ['simulator of three posts', residentMb(simulator.pid).toFixed(0)],
  ],
);
for (const child of children) {
  child.removeAllListeners('exit');
  child.kill('SIGINT');
}
await Promise.all(children.map((child) => new Promise((resolve) => child.once('close', resolve))));
