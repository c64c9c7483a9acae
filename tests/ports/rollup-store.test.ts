import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import { openEmbeddedStoreHere } from '#server/store/embedded-store.js';
import { createInfluxStore } from '#server/store/influx-store.js';
import { type RunningInflux, startInflux } from '../support/influx.js';
import { createMemoryRollups } from '../support/memory-rollups.js';
import { describeRollupStore } from './rollup-store.suite.js';

const root = mkdtempSync(join(tmpdir(), 'oftob-rollup-store-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

let memory = createMemoryRollups();
describeRollupStore('rollups in memory', {
  async open() {
    memory = createMemoryRollups();
    return { ...memory, close: async () => {} };
  },
  async breakIt() {
    memory.fault = { code: 'STORE_UNAVAILABLE', message: 'gone' };
  },
});

let count = 0;
let close = async (): Promise<void> => {};
describeRollupStore('rollups of the embedded store', {
  async open() {
    count += 1;
    const opened = openEmbeddedStoreHere({ folder: join(root, String(count)) });
    if (!opened.ok) throw new Error(opened.fault.message);
    close = () => opened.value.close();
    return opened.value;
  },
  breakIt: () => close(),
});

let influx: RunningInflux | undefined;
for (const keeping of [{ rawDays: 40_000, quarterYears: 100 }, undefined])
  describeRollupStore(
    `rollups of the InfluxDB store ${keeping === undefined ? 'without' : 'with'} policies of its own`,
    {
      async open() {
        count += 1;
        return createInfluxStore({ url: influx?.url ?? '', database: `rollups${count}`, keeping });
      },
      breakIt: async () => influx?.kill(),
    },
    {
      prepare: async () => {
        influx = await startInflux();
      },
      tidyUp: async () => influx?.stop(),
    },
  );
