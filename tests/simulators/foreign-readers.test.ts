// Every simulated device is read by programs that nobody here wrote: libmodbus and mbpoll, over TCP and a serial line.
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, describe, expect, test } from 'vitest';
import { loadCatalog } from '#profiles/catalog.js';
import { TABLES, type Table } from '#profiles/profile.js';
import { addressesIn } from '#simulators/device/image.js';
import { parseScenario } from '#simulators/scenarios/scenario.js';
import type { Wire } from '#simulators/serve/serve-bus.js';
import { createSimulation, type PlacedDevice, type PostSimulation } from '#simulators/simulation.js';

const { profiles: catalog } = loadCatalog();
const run = promisify(execFile);
const NOON = Date.UTC(2026, 5, 21, 7);
const scheduler = { after: () => () => undefined };
const READER = join(import.meta.dirname, 'read-with-libmodbus.py');
const TYPE_OF_TABLE: Readonly<Record<Table, string>> = { coil: '0', discrete: '1', input: '3:hex', holding: '4:hex' };

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

interface Read {
  readonly unit: number;
  readonly table: Table;
  readonly start: number;
  readonly count: number;
}

/** A post with a device of every profile, at noon, when all of them are awake. */
function everyDevice(): PostSimulation {
  const parsed = parseScenario({
    name: 'every-device',
    summary: 'One device of each profile',
    seed: 11,
    posts: [
      {
        id: 'post',
        name: 'Post',
        world: { site: { cloudShare: 0 }, genset: { ratedW: 8000 }, pump: { supply: 'solar' } },
        devices: [...catalog.keys()].map((profile, index) => ({ id: `device-${index + 1}`, profile, unit: index + 1 })),
      },
    ],
  });
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.fault));
  const simulation = createSimulation(parsed.value, { startAt: NOON, catalog });
  simulation.stepTo(NOON + 60_000);
  return simulation.posts.get('post')!;
}

/** The longest reads that the device allows over all that it knows. */
function readsOf({ unit, device }: PlacedDevice): Read[] {
  const { maxRegisters, alignment = 1 } = device.profile.protocol;
  const longest = Math.floor(maxRegisters / alignment) * alignment;
  const known = addressesIn(device.profile);
  return TABLES.flatMap((table) => {
    const reads: { start: number; count: number }[] = [];
    for (const address of [...known[table]].sort((a, b) => a - b)) {
      const last = reads.at(-1);
      const start = address - (address % alignment);
      if (last && start < last.start + last.count) continue;
      if (last && start === last.start + last.count && last.count + alignment <= longest) last.count += alignment;
      else reads.push({ start, count: alignment });
    }
    return reads.map((read) => ({ unit, table, ...read }));
  });
}

function wordsOf({ device }: PlacedDevice, { table, start, count }: Read): number[] {
  const words = device.image()[table];
  return Array.from({ length: count }, (_, index) => words.get(start + index) ?? 0);
}

async function serve(post: PostSimulation, wire: Wire): Promise<string> {
  const bus = await post.serve({ wire, scheduler });
  closers.push(() => bus.close());
  return bus.place;
}

describe.each<[string, Wire]>([
  ['tcp', { kind: 'tcp', host: '127.0.0.1', port: 0 }],
  ['rtu', { kind: 'rtu' }],
])('over %s', (kind, wire) => {
  test('libmodbus reads every register of every device, as it is', async () => {
    const post = everyDevice();
    const place = await serve(post, wire);
    const asked = post.devices.flatMap((device) => readsOf(device).map((read) => ({ device, read })));
    const reading = run('python3', [READER, kind, place], { maxBuffer: 1 << 26 });
    reading.child.stdin?.end(JSON.stringify(asked.map(({ read }) => read)));
    const answers = JSON.parse((await reading).stdout) as unknown[];
    expect(asked.length).toBeGreaterThan(catalog.size);
    for (const [index, { device, read }] of asked.entries())
      expect(answers[index], `${device.device.profile.id} ${JSON.stringify(read)}`).toEqual(wordsOf(device, read));
  });

  test('mbpoll reads every device without an error', async () => {
    const post = everyDevice();
    const place = await serve(post, wire);
    const [host = '', port = ''] = place.split(':');
    const line = kind === 'tcp' ? ['-m', 'tcp', '-p', port] : ['-m', 'rtu', '-b', '9600', '-P', 'none'];
    for (const device of post.devices) {
      const read = readsOf(device)[0]!;
      const what = [
        '-a',
        `${read.unit}`,
        '-t',
        TYPE_OF_TABLE[read.table],
        '-r',
        `${read.start}`,
        '-c',
        `${read.count}`,
      ];
      const { stdout } = await run('mbpoll', ['-0', '-1', '-o', '5', ...line, ...what, kind === 'tcp' ? host : place]);
      const words = [...stdout.matchAll(/^\[(\d+)\]:\s+(\S+)/gm)].map(([, , word]) => Number(word));
      expect(words, `${device.device.profile.id}\n${stdout}`).toEqual(wordsOf(device, read));
    }
  });
});
