// The store in InfluxDB 1.x, and in 2 and 3 through their version 1 endpoints.
import { ok } from '#domain/result.js';
import type { Log } from '../ingest/log.js';
import type { RollupStore, Store } from '../ports.js';
import { Connection, type InfluxAddress } from './influx/connection.js';
import { PointWriter } from './influx/point-writer.js';
import { ensurePolicies, type Keeping, RAW } from './influx/policies.js';
import { RollupKeeper } from './influx/rollup-keeper.js';
import { SeriesReader } from './influx/series-reader.js';

export interface InfluxStoreOptions extends InfluxAddress {
  /** By retention policies that the store makes; without, everything is written to the policy that the database has. */
  readonly keeping?: Keeping | undefined;
  /** Told of fields and times that are refused, and of policies that may not be changed. */
  readonly log?: Pick<Log, 'warn'> | undefined;
}

export interface InfluxStore extends Store, RollupStore {
  counters(): Readonly<Record<string, number>>;
}

/** Opens no connection by itself: an unreachable database shows as `STORE_UNAVAILABLE` of each call until it is there. */
export function createInfluxStore({ keeping, log, ...address }: InfluxStoreOptions): InfluxStore {
  const hasPolicies = keeping !== undefined;
  const policy = hasPolicies ? RAW : undefined;
  const connection: Connection = new Connection(address, async () => {
    const made = keeping === undefined ? ok(undefined) : await ensurePolicies(connection, keeping, log);
    return made.ok ? writer.learnFields() : made;
  });
  const writer = new PointWriter(connection, policy, log);
  const reader = new SeriesReader(connection, policy);
  const rollups = new RollupKeeper(connection, hasPolicies);
  return {
    write: (points) => writer.write(points),
    read: (series, from, to) => reader.read(series, from, to),
    lastBefore: (series, at) => reader.lastBefore(series, at),
    latest: (post) => reader.latest(post),
    rollUp: (questions) => reader.rollUp(questions),
    saveRollups: (entries) => rollups.saveRollups(entries),
    readRollups: (...question) => rollups.readRollups(...question),
    counters: () => ({ ...writer.counters(), ...connection.counters(), ...rollups.counters() }),
    async close() {
      connection.close();
    },
  };
}
