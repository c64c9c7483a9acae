// Retention policies, one for each class of data: how long InfluxDB keeps what.
import { failed, ok, type Result } from '#domain/result.js';
import type { RollupSpan } from '#domain/series-rollup.js';
import type { Log } from '../../ingest/log.js';
import type { StoreFault } from '../../ports.js';
import { field, rowsOf } from './answers.js';
import type { Connection } from './connection.js';

/** How long points and rollups of 15 minutes are kept. */
export interface Keeping {
  readonly rawDays: number;
  readonly quarterYears: number;
}

interface Policy {
  readonly name: string;
  readonly hours: number | undefined;
  /** So long is one shard: what goes, goes by whole ones. */
  readonly shardHours: number;
}

const DAY_HOURS = 24;
const YEAR_HOURS = 8766;

export const RAW = 'oftob_raw';
const QUARTER = 'oftob_quarter';
const FOR_EVER = 'oftob_forever';

/** The policy that rollups of a span are kept by. */
export function policyOf(span: RollupSpan): string {
  return span === 'quarter' ? QUARTER : FOR_EVER;
}

function policiesFor({ quarterYears, rawDays }: Keeping): Policy[] {
  return [
    { name: RAW, hours: rawDays * DAY_HOURS, shardHours: 7 * DAY_HOURS },
    { name: QUARTER, hours: quarterYears * YEAR_HOURS, shardHours: 90 * DAY_HOURS },
    { name: FOR_EVER, hours: undefined, shardHours: 3650 * DAY_HOURS },
  ];
}

/**
 * Makes the policies that are missing, and gives those that are there the length that is asked for. A user who may not is told
 * what to have run: without a policy there is no place to write to; one of another length is used as it is.
 */
export async function ensurePolicies(
  connection: Connection,
  keeping: Keeping,
  log: Pick<Log, 'warn'> | undefined,
): Promise<Result<undefined, StoreFault>> {
  const database = field(connection.address.database);
  const shown = await connection.ask(`SHOW RETENTION POLICIES ON ${database}`);
  if (!shown.ok) return failed(shown.fault);
  const hoursOf = new Map(rowsOf(shown.value[0]).map(({ values }) => [String(values[0]), hoursIn(String(values[1]))]));
  for (const { hours = 0, name, shardHours } of policiesFor(keeping)) {
    const present = hoursOf.get(name);
    if (present === hours) continue;
    const verb = present === undefined ? 'CREATE' : 'ALTER';
    const lasting = `DURATION ${hours === 0 ? 'INF' : `${hours}h`}${present === undefined ? ' REPLICATION 1' : ''}`;
    const statement = `${verb} RETENTION POLICY ${field(name)} ON ${database} ${lasting} SHARD DURATION ${shardHours}h`;
    const made = await connection.ask(statement);
    if (made.ok) continue;
    const { code, message } = made.fault;
    const advice = `${message}; have an administrator run: ${statement}`;
    if (present === undefined) return failed({ code, message: `${advice} (or write policies: false under store)` });
    log?.warn({ code }, advice);
  }
  return ok(undefined);
}

/** Of `9600h0m0s`; 0 is for ever. */
function hoursIn(duration: string): number {
  return Number(/^(\d+)h/.exec(duration)?.[1] ?? 0);
}
