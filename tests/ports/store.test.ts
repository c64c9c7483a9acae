import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import type { Store } from '#server/ports.js';
import { createEmbeddedStore } from '#server/store/embedded-store.js';
import { createInfluxStore } from '#server/store/influx-store.js';
import { type RunningInflux, startInflux } from '../support/influx.js';
import { describeStore } from './store.suite.js';

const root = mkdtempSync(join(tmpdir(), 'oftob-store-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

let count = 0;
let embedded: Store | undefined;

async function openEmbedded(): Promise<Store> {
  const opened = createEmbeddedStore({ folder: join(root, String(count)) });
  if (!opened.ok) throw new Error(opened.fault.message);
  embedded = opened.value;
  return embedded;
}

describeStore('the embedded store', {
  open: () => {
    count += 1;
    return openEmbedded();
  },
  reopen: openEmbedded,
  breakIt: async () => embedded?.close(),
});

let influx: RunningInflux | undefined;

async function openInflux(): Promise<Store> {
  if (influx === undefined) throw new Error('InfluxDB does not run');
  return createInfluxStore({ url: influx.url, database: `oftob${count}` });
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
