// One InfluxDB over HTTP: what it answers as values, and why it does not.
import { type FieldType, InfluxDB, type IPoint } from 'influx';
import { failed, ok, type Result } from '#domain/result.js';
import type { StoreFault } from '../../ports.js';
import { unavailable } from '../point-rules.js';
import { type Answer, milliseconds, type Row, rowsOf } from './answers.js';
import { listenForReasons, type Reasons } from './reasons.js';

export interface InfluxAddress {
  /** `http://127.0.0.1:8086`, or `https://…` */
  readonly url: string;
  readonly database: string;
  /** Also a token of InfluxDB 2 or 3 goes in as the password, of any user. */
  readonly username?: string;
  readonly password?: string;
  /** PEM of the authority that the server's certificate is checked with, where it is none of those that Node knows. */
  readonly ca?: string;
  /** An answer that has not come whole by then never will. 20 s where absent. */
  readonly requestTimeoutMs?: number;
}

/** What a write says: nothing wrong, some lines dropped and why, or no answer that helps. */
export type Written =
  | { readonly kind: 'ok' }
  | { readonly kind: 'partial'; readonly reason: string }
  | { readonly kind: 'fault'; readonly fault: StoreFault };

export type Schema = Readonly<Record<string, FieldType>>;

const REQUEST_TIMEOUT_MS = 20_000;
/** Statements of one request. */
const STATEMENTS_MAX = 50;
const PARTIAL = /partial write|unable to parse|beyond retention policy/i;
/** Creating what is there already is refused to users without the right, and by InfluxDB 2 and 3. */
const MAY_NOT_CREATE = /\bA (400|403|404|405) /;

/** Opens no connection by itself: an unreachable database shows as `STORE_UNAVAILABLE` of each call until it is there. */
export class Connection {
  readonly address: InfluxAddress;
  readonly #client: InfluxDB;
  readonly #reasons: Reasons;
  readonly #timeoutMs: number;
  readonly #prepare: (connection: Connection) => Promise<Result<unknown, StoreFault>>;
  #isReady = false;
  #preparing: Promise<Result<unknown, StoreFault>> | undefined;
  #closed = false;
  #faults = 0;
  #partialWrites = 0;

  /** @param prepare done once the database is there, before anything else, and again after it was dropped */
  constructor(address: InfluxAddress, prepare: (connection: Connection) => Promise<Result<unknown, StoreFault>>) {
    this.address = address;
    this.#prepare = prepare;
    const url = new URL(address.url);
    this.#reasons = listenForReasons(url);
    const secure = url.protocol === 'https:';
    const { username, password = '', ca, requestTimeoutMs = REQUEST_TIMEOUT_MS } = address;
    this.#timeoutMs = requestTimeoutMs;
    this.#client = new InfluxDB({
      hosts: [
        {
          host: url.hostname,
          port: url.port === '' ? (secure ? 443 : 80) : Number(url.port),
          protocol: secure ? 'https' : 'http',
          ...(url.pathname === '/' ? {} : { path: url.pathname }),
          ...(ca === undefined ? {} : { options: { ca } }),
        },
      ],
      ...(username === undefined ? {} : { username, password }),
      database: address.database,
      // Pauses between attempts are the ingest's; a pool that hides the host for seconds would only add to them.
      pool: { maxRetries: 0, requestTimeout: requestTimeoutMs, backoff: noBackoff },
    });
  }

  /** The types of a measurement's fields, from now on. */
  setSchema(measurement: string, tags: readonly string[], fields: Schema): void {
    this.#client.addSchema({ database: this.address.database, measurement, tags: [...tags], fields });
  }

  /** Makes the database where that is allowed, and prepares it. Whoever asks meanwhile waits for the same. */
  async ready(): Promise<Result<unknown, StoreFault>> {
    if (this.#closed) return unavailable(`${this.address.url} is closed`);
    if (this.#isReady) return ok(undefined);
    this.#preparing ??= this.#makeReady().finally(() => {
      this.#preparing = undefined;
    });
    return this.#preparing;
  }

  async #makeReady(): Promise<Result<unknown, StoreFault>> {
    try {
      await this.#inTime(this.#client.createDatabase(this.address.database));
    } catch (error) {
      if (!MAY_NOT_CREATE.test(String(error))) return this.#fail(this.#reasons.take() ?? messageOf(error));
    }
    const prepared = await this.#prepare(this);
    this.#isReady = prepared.ok;
    return prepared;
  }

  /** One or more statements, once the database is ready; an answer each, or the first of their faults. */
  async query(statement: string): Promise<Result<readonly Answer[], StoreFault>> {
    const ready = await this.ready();
    return ready.ok ? this.ask(statement) : ready;
  }

  /** Any number of statements, in few requests; an answer each. */
  async queryEach(statements: readonly string[]): Promise<Result<readonly Answer[], StoreFault>> {
    const answers: Answer[] = [];
    for (let start = 0; start < statements.length; start += STATEMENTS_MAX) {
      const some = await this.query(statements.slice(start, start + STATEMENTS_MAX).join(';'));
      if (!some.ok) return some;
      answers.push(...some.value);
    }
    return ok(answers);
  }

  /**
   * Rows with `from` ≤ time < `to`, by time, page after page, so that no answer is long.
   * @param select a statement up to its conditions, without any of time
   */
  async readPages(
    select: string,
    from: number,
    to: number,
    rowsMax: number,
    take: (rows: readonly Row[]) => void,
  ): Promise<StoreFault | undefined> {
    for (let start = from; start < to; ) {
      const within = `time >= ${milliseconds(start)} AND time < ${milliseconds(to)}`;
      const answer = await this.query(`${select} AND ${within} LIMIT ${rowsMax}`);
      if (!answer.ok) return answer.fault;
      const rows = rowsOf(answer.value[0]);
      take(rows);
      const last = rows.at(-1)?.values[0];
      if (rows.length < rowsMax || typeof last !== 'number') break;
      start = last + 1;
    }
    return undefined;
  }

  /** {@link query} of a database that may not be ready. */
  async ask(statement: string): Promise<Result<readonly Answer[], StoreFault>> {
    try {
      const words = { precision: 'ms', database: this.address.database, method: 'POST' } as const;
      const asked = this.#client.queryRaw(statement, words) as Promise<{ results?: readonly Answer[] }>;
      const body = await this.#inTime(asked);
      const results = body.results ?? [];
      const wrong = results.find((result) => result.error !== undefined)?.error;
      return wrong === undefined ? ok(results) : this.#fail(wrong);
    } catch (error) {
      return this.#fail(this.#reasons.take() ?? messageOf(error));
    }
  }

  /** @param policy the retention policy to write to; the database's own where there is none */
  async write(lines: readonly IPoint[], policy: string | undefined): Promise<Written> {
    try {
      const words = {
        precision: 'ms',
        database: this.address.database,
        ...(policy === undefined ? {} : { retentionPolicy: policy }),
      } as const;
      await this.#inTime(this.#client.writePoints([...lines], words));
      return { kind: 'ok' };
    } catch (error) {
      const reason = this.#reasons.take();
      const message = messageOf(error);
      if (reason === undefined && PARTIAL.test(message)) {
        this.#partialWrites += 1;
        return { kind: 'partial', reason: message };
      }
      return { kind: 'fault', fault: this.#fail(reason ?? message).fault };
    }
  }

  /** The client waits for ever for the rest of an answer whose connection breaks in the middle. */
  async #inTime<T>(call: Promise<T>): Promise<T> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(() => reject(new Error('its answer did not come whole')), this.#timeoutMs);
    });
    return Promise.race([call, late]).finally(() => clearTimeout(timer));
  }

  counters(): { readonly storeFaults: number; readonly storePartialWrites: number } {
    return { storeFaults: this.#faults, storePartialWrites: this.#partialWrites };
  }

  close(): void {
    this.#closed = true;
    this.#reasons.close();
  }

  #fail(message: string): { readonly ok: false; readonly fault: StoreFault } {
    if (/database not found|retention policy not found/.test(message)) this.#isReady = false;
    this.#faults += 1;
    const code = /no space left/.test(message) ? 'STORE_FULL' : 'STORE_UNAVAILABLE';
    return failed({ code, message: `InfluxDB at ${this.address.url}: ${message}${adviceOn(message)}` });
  }
}

const noBackoff = {
  getDelay: () => 0,
  next: () => noBackoff,
  reset: () => noBackoff,
};

/** Some of the client's errors carry no message but a code, others InfluxDB's own words in JSON. */
function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const code = (error as NodeJS.ErrnoException).code;
  const [, said] = /error occurred: \{"error":"(.*)"\}/.exec(error.message) ?? [];
  return said?.replaceAll('\\"', '"') || error.message.trim() || code || error.name;
}

/** What to do about refusals that a person has to see to. */
function adviceOn(message: string): string {
  if (/authorization failed|unable to parse authentication|unauthorized/i.test(message))
    return '; correct user and password (or token) in store.url';
  if (/ECONNREFUSED|ENOTFOUND|EHOSTUNREACH/.test(message)) return '; start it, or correct store.url';
  if (/self.signed|unable to (get|verify)|UNABLE_TO|certificate/i.test(message))
    return '; name the authority of its certificate in store.caFile';
  return '';
}
