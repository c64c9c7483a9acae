// From register to store on virtual time, while everything between goes wrong by seed: nothing missing, altered, invented.
import assert from 'node:assert/strict';
import { VirtualChain } from '#tests/chain/virtual-chain.js';

/** Bad days in a whole soak. */
export const CHAINS = 40;
const MINUTE = 60_000;
const ROUNDS = 12;
const SETTLE_MINUTES = 90;
/** The newest samples may still wait for their batch, safe in the outbox. */
const ON_THE_WAY_MS = 3 * MINUTE;

async function upset(chain: VirtualChain): Promise<void> {
  const { faults } = chain.broker;
  const kind = Math.floor(chain.random() * 8);
  if (kind === 0) faults.lossUp = chain.random();
  if (kind === 1) faults.lossDown = chain.random();
  if (kind === 2) faults.doubled = chain.random();
  if (kind === 3) faults.isCut = !faults.isCut;
  if (kind === 3 || kind === 4) chain.broker.cutAll();
  if (kind === 5) chain.restartGateway();
  if (kind === 6) {
    chain.stopServer();
    await chain.live(2 * MINUTE);
    await chain.startServer();
  }
  if (kind === 7)
    chain.store.fault =
      chain.store.fault === undefined ? { code: 'STORE_UNAVAILABLE', message: 'the database is down' } : undefined;
}

function missing(chain: VirtualChain): string[] {
  const stored = chain.stored();
  const isDue = (name: string): boolean => Number(name.split('/').at(-1)) < chain.time.now() - ON_THE_WAY_MS;
  return [...chain.recorded.keys()].filter((name) => isDue(name) && !stored.has(name));
}

/** Runs one and answers how many samples are stored. */
export async function runChain(seed: number): Promise<number> {
  const chain = new VirtualChain(seed, { full: seed % 2 === 0 });
  try {
    await chain.startServer();
    chain.startGateway();
    for (let round = 0; round < ROUNDS; round += 1) {
      await upset(chain);
      await chain.live(Math.floor(chain.random() * 12) * MINUTE);
    }
    Object.assign(chain.broker.faults, { lossUp: 0, lossDown: 0, doubled: 0, isCut: false });
    chain.store.fault = undefined;
    for (let minute = 0; minute < SETTLE_MINUTES; minute += 1) {
      await chain.live(MINUTE);
      if (missing(chain).length === 0) break;
    }
    assert.deepEqual(missing(chain).slice(0, 3), [], `chain of seed ${seed}: missing`);
    const stored = chain.stored();
    for (const [name, sample] of stored)
      assert.equal(sample, chain.recorded.get(name), `chain of seed ${seed}: ${name}`);
    return stored.size;
  } finally {
    await chain.close();
  }
}
