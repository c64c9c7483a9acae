import { afterEach, describe, expect, test } from 'vitest';
import { type Samples, VirtualChain } from './virtual-chain.js';

const MINUTE = 60_000;
let chain: VirtualChain | undefined;

afterEach(async () => {
  await chain?.close();
  chain = undefined;
});

async function start(seed: number, full = true): Promise<VirtualChain> {
  chain = new VirtualChain(seed, { full });
  await chain.startServer();
  chain.startGateway();
  return chain;
}

/** The newest samples may still wait for their batch, safe in the outbox. */
const ON_THE_WAY_MS = 3 * MINUTE;

function difference(running: VirtualChain) {
  const recorded: Samples = running.recorded;
  const stored = running.stored();
  const isDue = (name: string): boolean => Number(name.split('/').at(-1)) < running.time.now() - ON_THE_WAY_MS;
  const missing = [...recorded.keys()].filter((name) => isDue(name) && !stored.has(name));
  const altered = [...recorded].filter(([name, sample]) => stored.has(name) && stored.get(name) !== sample);
  const foreign = [...stored.keys()].filter((name) => !recorded.has(name));
  return { missing: missing.slice(0, 3), altered: altered.slice(0, 3), foreign: foreign.slice(0, 3) };
}

const NOTHING = { missing: [], altered: [], foreign: [] };

/** Records of two devices and the gateway within a batch period, and some. */
const A_BATCH = 20;

/** Mends every fault, and gives the post time to bring what is left. */
async function settle(running: VirtualChain): Promise<void> {
  Object.assign(running.broker.faults, { lossUp: 0, lossDown: 0, doubled: 0, isCut: false });
  running.store.fault = undefined;
  for (let round = 0; round < 60; round += 1) {
    await running.live(MINUTE);
    if (difference(running).missing.length === 0) return;
  }
}

describe('from register to store on virtual time', () => {
  test('every sample of a quiet hour is stored as it was recorded, and receipted', async () => {
    const running = await start(1);
    await running.live(60 * MINUTE);
    await settle(running);
    expect(running.recorded.size).toBeGreaterThan(10_000);
    expect(difference(running)).toEqual(NOTHING);
    expect(running.status()?.outbox.pendingRecords).toBeLessThan(A_BATCH);
    expect(running.counters()).toMatchObject({ payloadsUnreadable: 0, samplesRefused: 0 });
  });

  test('a link that is down for a day loses nothing: the day arrives as history behind live data', async () => {
    const running = await start(2, false);
    await running.live(10 * MINUTE);
    running.broker.faults.isCut = true;
    running.broker.cutAll();
    await running.live(24 * 60 * MINUTE);
    expect(running.status()?.session.connected).toBe(false);
    running.broker.faults.isCut = false;
    await running.live(15 * MINUTE);
    await settle(running);
    expect(difference(running)).toEqual(NOTHING);
    expect(running.counters().samplesLate).toBeGreaterThan(1000);
  });

  test('a gateway that is killed comes back with a new epoch and brings what the old one recorded', async () => {
    const running = await start(3);
    running.broker.faults.lossDown = 1;
    await running.live(20 * MINUTE);
    running.restartGateway();
    await running.live(5 * MINUTE);
    await settle(running);
    expect(difference(running)).toEqual(NOTHING);
  });

  test('while the server is away the post spends no bytes on data', async () => {
    const running = await start(4);
    await running.live(5 * MINUTE);
    running.stopServer();
    await running.live(MINUTE);
    const before = running.status()?.session.bytesSent ?? 0;
    await running.live(30 * MINUTE);
    expect((running.status()?.session.bytesSent ?? 0) - before).toBe(0);
    await running.startServer();
    await running.live(5 * MINUTE);
    await settle(running);
    expect(difference(running)).toEqual(NOTHING);
  });
});
