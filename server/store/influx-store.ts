// The store in InfluxDB 1.x, and in 2 and 3 through their version 1 endpoints.
import { FieldType, InfluxDB } from 'influx';
import { METRICS } from '#domain/metric.js';
import { failed, ok, type Result } from '#domain/result.js';
import type { SeriesRollup } from '#domain/series-rollup.js';
import type { Point, RefusedPoint, RollupQuestion, SeriesName, Store, StoreFault } from '../ports.js';
import {
  type Answer,
  conflictIn,
  field,
  linesOf,
  MEASUREMENT,
  milliseconds,
  newestOf,
  pointFrom,
  QUALITY,
  qualityField,
  rowsOf,
  unwritableText,
  whereSeries,
} from './influx-lines.js';
import { listenForReasons, type Reasons } from './influx-reasons.js';
import { refusalOf, typeOfValue, unavailable, type ValueType } from './point-rules.js';
import { rollUpByReading } from './rollup-by-reading.js';

export interface InfluxStoreOptions {
  /** `http://127.0.0.1:8086` */
  readonly url: string;
  readonly database: string;
  readonly username?: string;
  readonly password?: string;
}

export interface InfluxStore extends Store {
  counters(): Readonly<Record<string, number>>;
}

const REQUEST_TIMEOUT_MS = 20_000;

/** What one request says: nothing wrong, some lines dropped and why, or no answer that helps. */
type Written = { readonly kind: 'ok' } | { readonly kind: 'partial'; readonly reason: string } | StoreFaultOutcome;
type StoreFaultOutcome = { readonly kind: 'fault'; readonly fault: StoreFault };

type Numbered = { readonly index: number; readonly point: Point };

/** Opens no connection by itself: an unreachable database shows as `STORE_UNAVAILABLE` of each call until it is there. */
export function createInfluxStore(options: InfluxStoreOptions): InfluxStore {
  return new LineStore(options);
}

class LineStore implements InfluxStore {
  readonly #options: InfluxStoreOptions;
  readonly #client: InfluxDB;
  readonly #reasons: Reasons;
  /** Fields written so far. A schema of the whole vocabulary would be walked through for every line. */
  readonly #fields: Record<string, FieldType> = {};
  readonly #learned = new Map<string, ValueType>();
  #databaseSeen = false;
  #closed = false;
  readonly #counters = {
    storeWrites: 0,
    storePoints: 0,
    storePointsRefused: 0,
    storeFaults: 0,
    storePartialWrites: 0,
  };

  constructor(options: InfluxStoreOptions) {
    this.#options = options;
    const url = new URL(options.url);
    this.#reasons = listenForReasons(url);
    const secure = url.protocol === 'https:';
    this.#client = new InfluxDB({
      host: url.hostname,
      port: url.port === '' ? (secure ? 443 : 80) : Number(url.port),
      protocol: secure ? 'https' : 'http',
      ...(url.pathname === '/' ? {} : { path: url.pathname }),
      ...(options.username === undefined ? {} : { username: options.username, password: options.password ?? '' }),
      database: options.database,
      // Pauses between attempts are the ingest's; a pool that hides the host for seconds would only add to them.
      pool: { maxRetries: 0, requestTimeout: REQUEST_TIMEOUT_MS, backoff: noBackoff },
    });
  }

  async write(points: readonly Point[]): Promise<Result<readonly RefusedPoint[], StoreFault>> {
    const ready = await this.#ensureDatabase();
    if (!ready.ok) return ready;
    const refused: RefusedPoint[] = [];
    const lines: Numbered[] = [];
    const inBatch = new Map<string, ValueType>();
    points.forEach((point, index) => {
      const code =
        refusalOf(point, (metric) => this.#learned.get(metric) ?? inBatch.get(metric)) ?? unwritableText(point);
      if (code !== undefined) {
        refused.push({ index, code });
        return;
      }
      if (point.value !== null && !inBatch.has(point.metric)) inBatch.set(point.metric, typeOfValue(point.value));
      lines.push({ index, point });
    });
    const fault = await this.#writeSome(lines, refused);
    if (fault !== undefined) return this.#fault(fault);
    this.#counters.storeWrites += 1;
    this.#counters.storePoints += points.length - refused.length;
    this.#counters.storePointsRefused += refused.length;
    return ok(refused.sort((a, b) => a.index - b.index));
  }

  /**
   * Writes, and finds out which points a partial write has dropped: those of the metric that the message names, else by
   * halves. What was dropped for good is not sent again; what is sent again was stored already or shared a line with it.
   */
  async #writeSome(lines: readonly Numbered[], refused: RefusedPoint[]): Promise<StoreFault | undefined> {
    if (lines.length === 0) return undefined;
    const written = await this.#send(lines.map(({ point }) => point));
    if (written.kind === 'ok') return this.#learn(lines);
    if (written.kind === 'fault') return written.fault;
    const conflict = conflictIn(written.reason);
    const isNamed = ({ point }: Numbered): boolean =>
      conflict !== undefined &&
      point.value !== null &&
      point.metric === conflict.metric &&
      typeOfValue(point.value) === conflict.type;
    const named = lines.filter(isNamed);
    if (named.length > 0) {
      for (const { index } of named) refused.push({ index, code: 'STORE_TYPE' });
      return this.#writeSome(
        lines.filter((line) => !isNamed(line)),
        refused,
      );
    }
    if (lines.length === 1) {
      const code = /retention|time/i.test(written.reason) ? 'STORE_TIME' : 'STORE_TYPE';
      for (const { index } of lines) refused.push({ index, code });
      return undefined;
    }
    const middle = lines.length >> 1;
    return (
      (await this.#writeSome(lines.slice(0, middle), refused)) ?? (await this.#writeSome(lines.slice(middle), refused))
    );
  }

  #learn(lines: readonly Numbered[]): undefined {
    for (const { point } of lines)
      if (point.value !== null && !METRICS.has(point.metric) && !this.#learned.has(point.metric))
        this.#learned.set(point.metric, typeOfValue(point.value));
  }

  async #send(points: readonly Point[]): Promise<Written> {
    this.#knowFields(points);
    try {
      await this.#client.writePoints(linesOf(points), { precision: 'ms', database: this.#options.database });
      return { kind: 'ok' };
    } catch (error) {
      const reason = this.#reasons.take();
      if (reason !== undefined) return { kind: 'fault', fault: this.#faultOf(reason) };
      const message = messageOf(error);
      if (/partial write|unable to parse|beyond retention policy/i.test(message)) {
        this.#counters.storePartialWrites += 1;
        return { kind: 'partial', reason: message };
      }
      return { kind: 'fault', fault: this.#faultOf(message) };
    }
  }

  #knowFields(points: readonly Point[]): void {
    let grown = false;
    for (const { metric, value } of points) {
      if (this.#fields[qualityField(metric)] === undefined) {
        this.#fields[qualityField(metric)] = FieldType.INTEGER;
        grown = true;
      }
      if (value !== null && this.#fields[metric] === undefined) {
        this.#fields[metric] = typeof value === 'string' ? FieldType.STRING : FieldType.FLOAT;
        grown = true;
      }
    }
    if (grown)
      this.#client.addSchema({
        database: this.#options.database,
        measurement: MEASUREMENT,
        tags: ['post', 'device'],
        fields: this.#fields,
      });
  }

  async read(series: SeriesName, from: number, to: number): Promise<Result<readonly Point[], StoreFault>> {
    const { metric } = series;
    const answer = await this.#query(
      `SELECT ${field(metric)}, ${field(qualityField(metric))} FROM ${MEASUREMENT} WHERE ${whereSeries(series)} ` +
        `AND time >= ${milliseconds(from)} AND time < ${milliseconds(to)}`,
    );
    if (!answer.ok) return answer;
    return ok(rowsOf(answer.value[0]).flatMap(({ values }) => pointFrom(series, values)));
  }

  async lastBefore(series: SeriesName, at: number): Promise<Result<Point | undefined, StoreFault>> {
    const { metric } = series;
    const answer = await this.#query(
      `SELECT ${field(metric)}, ${field(qualityField(metric))} FROM ${MEASUREMENT} WHERE ${whereSeries(series)} ` +
        `AND time < ${milliseconds(at)} AND ${field(qualityField(metric))} < 32 ORDER BY time DESC LIMIT 1`,
    );
    if (!answer.ok) return answer;
    return ok(rowsOf(answer.value[0]).flatMap(({ values }) => pointFrom(series, values))[0]);
  }

  /** One statement per metric, in few requests: `last()` of several fields at once would tell no times. */
  async latest(post: string): Promise<Result<readonly Point[], StoreFault>> {
    const keys = await this.#query(`SHOW FIELD KEYS FROM ${MEASUREMENT}`);
    if (!keys.ok) return keys;
    const names = new Set(rowsOf(keys.value[0]).map(({ values }) => String(values[0])));
    const metrics = [...names].filter((name) => name.endsWith(QUALITY)).map((name) => name.slice(0, -QUALITY.length));
    const points: Point[] = [];
    for (let start = 0; start < metrics.length; start += STATEMENTS_MAX) {
      const some = metrics.slice(start, start + STATEMENTS_MAX);
      const answer = await this.#query(some.map((metric) => newestOf(post, metric, names.has(metric))).join(';'));
      if (!answer.ok) return answer;
      some.forEach((metric, i) => {
        for (const { tags, values } of rowsOf(answer.value[i])) {
          const [at, code, value = null] = values;
          points.push(...pointFrom({ post, device: tags.device ?? '', metric }, [at, value, code]));
        }
      });
    }
    return ok(points);
  }

  rollUp(questions: readonly RollupQuestion[]): Promise<Result<readonly SeriesRollup[], StoreFault>> {
    return rollUpByReading(this, questions);
  }

  async #query(statement: string): Promise<Result<readonly Answer[], StoreFault>> {
    const ready = await this.#ensureDatabase();
    if (!ready.ok) return ready;
    try {
      const body = (await this.#client.queryRaw(statement, {
        precision: 'ms',
        database: this.#options.database,
        method: 'POST',
      })) as { results?: readonly Answer[] };
      const results = body.results ?? [];
      const wrong = results.find((result) => result.error !== undefined)?.error;
      return wrong === undefined ? ok(results) : this.#fault(this.#faultOf(wrong));
    } catch (error) {
      return this.#fault(this.#faultOf(this.#reasons.take() ?? messageOf(error)));
    }
  }

  /** Creates the database where that is allowed; InfluxDB 2 and 3 refuse and have it already. */
  async #ensureDatabase(): Promise<Result<undefined, StoreFault>> {
    if (this.#closed) return unavailable(`${this.#options.url} is closed`);
    if (this.#databaseSeen) return ok(undefined);
    try {
      await this.#client.createDatabase(this.#options.database);
    } catch (error) {
      const message = this.#reasons.take() ?? messageOf(error);
      if (!(error instanceof Error) || !/^A (400|403|404|405)/.test(message))
        return this.#fault(this.#faultOf(message));
    }
    return this.#learnFields();
  }

  /** InfluxDB holds a field to its type within one shard only; what it was anywhere is asked once. */
  async #learnFields(): Promise<Result<undefined, StoreFault>> {
    this.#databaseSeen = true;
    const keys = await this.#query(`SHOW FIELD KEYS FROM ${MEASUREMENT}`);
    if (!keys.ok) {
      this.#databaseSeen = false;
      return keys;
    }
    for (const { values } of rowsOf(keys.value[0])) {
      const [name, type] = values.map(String);
      if (name !== undefined && !name.endsWith(QUALITY)) this.#learned.set(name, type === 'string' ? 'text' : 'number');
    }
    return ok(undefined);
  }

  #faultOf(message: string): StoreFault {
    if (/database not found/.test(message)) this.#databaseSeen = false;
    const code = /no space left/.test(message) ? 'STORE_FULL' : 'STORE_UNAVAILABLE';
    return { code, message: `InfluxDB at ${this.#options.url}: ${message}` };
  }

  #fault(fault: StoreFault): Result<never, StoreFault> {
    this.#counters.storeFaults += 1;
    return failed(fault);
  }

  counters(): Readonly<Record<string, number>> {
    return { ...this.#counters };
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#reasons.close();
  }
}

const STATEMENTS_MAX = 50;

const noBackoff = {
  getDelay: () => 0,
  next: () => noBackoff,
  reset: () => noBackoff,
};

/** Some of the client's errors carry no message but a code. */
function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const code = (error as NodeJS.ErrnoException).code;
  return error.message || code || error.name;
}
