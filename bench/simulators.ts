// What simulated posts cost: a post's year in steps of ten seconds, and two hundred full posts that are polled as real ones.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { loadCatalog } from '#profiles/catalog.js';
import { metricsOf } from '#profiles/extent.js';
import { addressesIn } from '#simulators/device/image.js';
import { loadScenario, type Scenario } from '#simulators/scenarios/scenario.js';
import { createSimulation } from '#simulators/simulation.js';
import { cpuSeconds, pause, startOftob } from './processes.js';
import { printTable } from './table.js';

const { values } = parseArgs({
  options: {
    days: { type: 'string', default: '365' },
    posts: { type: 'string', default: '200' },
    seconds: { type: 'string', default: '60' },
  },
});
const STEP_MS = 10_000;
const POLL_MS = 10_000;
/** More than any of the devices asks for. */
const PAUSE_MS = 250;
const { profiles: catalog } = loadCatalog();

function scenarioOf(name: string): Scenario {
  const loaded = loadScenario(name);
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.fault));
  return loaded.value;
}

/** Seconds of a post's life by chance, as wall clock and as processor time. */
function liveThrough(days: number): (string | number)[][] {
  const startAt = Date.UTC(2026, 0, 1);
  const simulation = createSimulation(scenarioOf('random-year'), { startAt, catalog });
  const usedBefore = process.cpuUsage();
  const begunAt = performance.now();
  for (let at = startAt; at < startAt + days * 86_400_000; at += STEP_MS) simulation.stepTo(at);
  const used = process.cpuUsage(usedBefore);
  const perYear = 365 / days / 1000;
  return [
    [
      `a post's random year, ${days} days of it in steps of 10 s: wall, s per year`,
      ((performance.now() - begunAt) * perYear).toFixed(1),
    ],
    ['… processor, s per year', (((used.user + used.system) / 1000) * perYear).toFixed(1)],
  ];
}

/** The first post of the demo, so many times. */
function manyPosts(count: number): { readonly scenario: Scenario; readonly metrics: number } {
  const demo = scenarioOf('demo');
  const [model] = demo.posts;
  if (model === undefined) throw new Error('the demo has no post');
  const posts = Array.from({ length: count }, (_, index) => ({ ...model, id: `post-${index}`, faults: [] }));
  const metrics = model.devices.reduce((sum, { profile }) => {
    const known = catalog.get(profile)?.profile;
    return sum + (known === undefined ? 0 : metricsOf(known).length);
  }, 0);
  return { scenario: { ...demo, posts }, metrics };
}

/** All registers of the demo's devices, each as its longest reads. */
function requestsOf({ posts: [post] }: Scenario): Buffer[] {
  return (post?.devices ?? []).flatMap(({ profile: id, unit }) => {
    const profile = catalog.get(id)?.profile;
    if (profile === undefined) return [];
    const { maxRegisters, table, allowedGap, alignment = 1 } = profile.protocol;
    const runs: [number, number][] = [];
    for (const address of [...addressesIn(profile)[table]].sort((a, b) => a - b)) {
      const start = address - (address % alignment);
      const last = runs.at(-1);
      const end = start + alignment;
      if (last && start <= last[1] + allowedGap && end - last[0] <= maxRegisters) last[1] = Math.max(last[1], end);
      else runs.push([start, end]);
    }
    return runs.map(([start, end]) => request(unit, table === 'input' ? 4 : 3, start, end - start));
  });
}

function request(unit: number, code: number, start: number, count: number): Buffer {
  const frame = Buffer.from([0, 0, 0, 0, 0, 6, unit, code, 0, 0, 0, 0]);
  frame.writeUInt16BE(start, 8);
  frame.writeUInt16BE(count, 10);
  return frame;
}

interface Answers {
  good: number;
  refused: number;
}

function open(port: number): Promise<Socket> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => resolve(socket.setNoDelay(true)));
  });
}

/** Asks one question after the other, with the rest that devices need between them, and counts the answers. */
async function poll(socket: Socket, requests: readonly Buffer[], answers: Answers): Promise<void> {
  for (const frame of requests) {
    await pause(PAUSE_MS);
    socket.write(frame);
    const answer = await new Promise<Buffer>((resolve) => socket.once('data', resolve));
    if ((answer.readUInt8(7) & 0x80) === 0) answers.good += 1;
    else answers.refused += 1;
  }
}

async function pollMany(count: number, seconds: number): Promise<(string | number)[][]> {
  const { scenario, metrics } = manyPosts(count);
  const folder = mkdtempSync(join(tmpdir(), 'oftob-bench-'));
  const file = join(folder, 'posts.json');
  writeFileSync(file, JSON.stringify(scenario));
  const posts = await startOftob(['simulate', '--config', file, '--port', '0'], /Ctrl-C/);
  try {
    const ports = [...posts.text().matchAll(/127\.0\.0\.1:(\d+)/g)].map(([, port]) => Number(port));
    const sockets = await Promise.all(ports.map(open));
    const requests = requestsOf(scenario);
    const answers = { good: 0, refused: 0 };
    await Promise.all(sockets.map((socket) => poll(socket, requests, answers)));
    const usedBefore = cpuSeconds(posts.pid);
    const begunAt = performance.now();
    const rounds: Promise<void>[] = [];
    // Each post has its own moment within the ten seconds, as at real posts.
    for (const [index, socket] of sockets.entries())
      rounds.push(pollFor(socket, (index / sockets.length) * POLL_MS, seconds));
    async function pollFor(socket: Socket, phaseMs: number, forS: number): Promise<void> {
      for (let at = phaseMs; at < forS * 1000; at += POLL_MS) {
        await pause(Math.max(0, begunAt + at - performance.now()));
        await poll(socket, requests, answers);
      }
    }
    await Promise.all(rounds);
    const share = (cpuSeconds(posts.pid) - usedBefore) / ((performance.now() - begunAt) / 1000);
    for (const socket of sockets) socket.destroy();
    return [
      [
        `${count} posts of ${metrics} metrics, each polled every 10 s: share of one core`,
        `${(100 * share).toFixed(0)} %`,
      ],
      ['… answers, of them refused', `${answers.good + answers.refused}, ${answers.refused}`],
    ];
  } finally {
    await posts.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

printTable(
  'Simulated posts',
  ['figure', 'seen'],
  [...liveThrough(Number(values.days)), ...(await pollMany(Number(values.posts), Number(values.seconds)))],
);
