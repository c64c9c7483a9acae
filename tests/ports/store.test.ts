import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import type { Result } from '#domain/result.js';
import type { Store, StoreFault } from '#server/ports.js';
import { openEmbeddedStore, openEmbeddedStoreHere } from '#server/store/embedded-store.js';
import { createInfluxStore } from '#server/store/influx-store.js';
import { type RunningInflux, startInflux } from '../support/influx.js';
import { describeStore } from './store.suite.js';

const root = mkdtempSync(join(tmpdir(), 'oftob-store-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

let count = 0;
let embedded: Store | undefined;

/** Runs the suite on embedded stores that are opened in one way. */
function describeEmbedded(
  name: string,
  open: (folder: string) => Promise<Result<Store, StoreFault>> | Result<Store, StoreFault>,
): void {
  const reopen = async (): Promise<Store> => {
    const opened = await open(join(root, String(count)));
    if (!opened.ok) throw new Error(opened.fault.message);
    embedded = opened.value;
    return embedded;
  };
  describeStore(name, {
    open: () => {
      count += 1;
      return reopen();
    },
    reopen,
    breakIt: async () => embedded?.close(),
  });
}

describeEmbedded('the embedded store in a thread of its own', (folder) => openEmbeddedStore({ folder }));
describeEmbedded('the embedded store in this thread', (folder) => openEmbeddedStoreHere({ folder }));
describeEmbedded('the embedded store that seals at once', (folder) => openEmbeddedStoreHere({ folder, sealValues: 1 }));
describeEmbedded('the embedded store that seals and compacts at once', (folder) => {
  const opened = openEmbeddedStoreHere({ folder });
  if (!opened.ok) return opened;
  const store = opened.value;
  const { write } = store;
  store.write = async (points) => {
    const written = await write.call(store, points);
    if (written.ok) await store.seal(Number.MAX_SAFE_INTEGER / 2);
    return written;
  };
  return opened;
});

let influx: RunningInflux | undefined;

async function openInflux(): Promise<Store> {
  if (influx === undefined) throw new Error('InfluxDB does not run');
  return createInfluxStore({
    url: influx.url,
    database: `oftob${count}`,
    keeping: { rawDays: 36_500, quarterYears: 100 },
  });
}

describeStore(
  'the InfluxDB store',
  {
    open: () => {
      count += 1;
      return openInflux();
    },
    reopen: openInflux,
    breakIt: async () => influx?.kill(),
    repairIt: async () => influx?.restart(),
  },
  {
    prepare: async () => {
      influx = await startInflux();
    },
    tidyUp: async () => influx?.stop(),
  },
);
