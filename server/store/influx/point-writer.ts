// Points to InfluxDB, and which of them it did not take.
import { METRICS } from '#domain/metric.js';
import { ok, type Result } from '#domain/result.js';
import type { Log } from '../../ingest/log.js';
import type { Point, RefusedPoint, StoreFault } from '../../ports.js';
import { refusalOf, typeOfValue, type ValueType } from '../point-rules.js';
import { rowsOf, sourceOf } from './answers.js';
import type { Connection, Written } from './connection.js';
import { conflictIn, lineOf, linesOf, MEASUREMENT, QUALITY, tooOldIn, unwritableText } from './lines.js';

type Numbered = { readonly index: number; readonly point: Point };

/** Fields whose refusal is told in the log; each once. */
const FIELDS_TOLD_MAX = 1000;

export class PointWriter {
  readonly #connection: Connection;
  readonly #policy: string | undefined;
  readonly #log: Pick<Log, 'warn'> | undefined;
  readonly #learned = new Map<string, ValueType>();
  readonly #told = new Set<string>();
  readonly #counts = { storeWrites: 0, storePoints: 0, storePointsRefused: 0 };

  constructor(connection: Connection, policy: string | undefined, log: Pick<Log, 'warn'> | undefined) {
    this.#connection = connection;
    this.#policy = policy;
    this.#log = log;
  }

  counters(): Readonly<Record<string, number>> {
    return { ...this.#counts };
  }

  /** InfluxDB holds a field to its type within one shard only; what it was anywhere is learned from `SHOW FIELD KEYS`. */
  async learnFields(): Promise<Result<undefined, StoreFault>> {
    const keys = await this.#connection.ask(`SHOW FIELD KEYS FROM ${sourceOf(MEASUREMENT, this.#policy)}`);
    if (!keys.ok) return keys;
    for (const { values } of rowsOf(keys.value[0])) {
      const [name, type] = values.map(String);
      if (name !== undefined && !name.endsWith(QUALITY)) this.#learned.set(name, type === 'string' ? 'text' : 'number');
    }
    return ok(undefined);
  }

  async write(points: readonly Point[]): Promise<Result<readonly RefusedPoint[], StoreFault>> {
    const ready = await this.#connection.ready();
    if (!ready.ok) return ready;
    const refused: RefusedPoint[] = [];
    const taken = this.#takeable(points, refused);
    const fault = await this.#writeAll(points, taken, refused);
    if (fault !== undefined) return { ok: false, fault };
    this.#counts.storeWrites += 1;
    this.#counts.storePoints += points.length - refused.length;
    this.#counts.storePointsRefused += refused.length;
    return ok(refused.sort((a, b) => a.index - b.index));
  }

  #takeable(points: readonly Point[], refused: RefusedPoint[]): readonly Point[] {
    const inBatch = new Map<string, ValueType>();
    const typeOf = (metric: string): ValueType | undefined => this.#learned.get(metric) ?? inBatch.get(metric);
    const isTakeable = (point: Point, index: number): boolean => {
      const code = refusalOf(point, typeOf) ?? unwritableText(point);
      if (code !== undefined) refused.push({ index, code });
      else if (point.value !== null && !this.#isKnown(point.metric))
        inBatch.set(point.metric, typeOfValue(point.value));
      return code === undefined;
    };
    return points.filter(isTakeable);
  }

  async #writeAll(
    points: readonly Point[],
    taken: readonly Point[],
    refused: RefusedPoint[],
  ): Promise<StoreFault | undefined> {
    if (taken.length === 0) return undefined;
    const written = await this.#connection.write(linesOf(taken), this.#policy);
    if (written.kind === 'ok') return this.#learn(taken);
    const known = new Set(refused.map(({ index }) => index));
    const numbered = points.map((point, index) => ({ index, point })).filter(({ index }) => !known.has(index));
    return this.#settle(written, numbered, refused);
  }

  async #writeSome(lines: readonly Numbered[], refused: RefusedPoint[]): Promise<StoreFault | undefined> {
    if (lines.length === 0) return undefined;
    const points = lines.map(({ point }) => point);
    const written = await this.#connection.write(linesOf(points), this.#policy);
    return written.kind === 'ok' ? this.#learn(points) : this.#settle(written, lines, refused);
  }

  /**
   * Finds out which points a partial write has dropped: the oldest, those of the metric that the message names, else by halves.
   * What was dropped for good is not sent again; what is sent again was stored already or shared a line with it.
   */
  async #settle(
    written: Exclude<Written, { kind: 'ok' }>,
    lines: readonly Numbered[],
    refused: RefusedPoint[],
  ): Promise<StoreFault | undefined> {
    if (written.kind === 'fault') return written.fault;
    const { reason } = written;
    const tooOld = tooOldIn(reason);
    if (tooOld !== undefined) return this.#refuseOldest(lines, tooOld, reason, refused);
    const conflict = conflictIn(reason);
    const isNamed = ({ point }: Numbered): boolean =>
      conflict !== undefined &&
      point.value !== null &&
      point.metric === conflict.metric &&
      typeOfValue(point.value) === conflict.type;
    const named = lines.filter(isNamed);
    if (named.length > 0) {
      this.#refuse(named, 'STORE_TYPE', reason, refused);
      return this.#writeSome(
        lines.filter((line) => !isNamed(line)),
        refused,
      );
    }
    if (lines.length === 1) {
      this.#refuse(lines, /time/i.test(reason) ? 'STORE_TIME' : 'STORE_TYPE', reason, refused);
      return undefined;
    }
    const middle = lines.length >> 1;
    return (
      (await this.#writeSome(lines.slice(0, middle), refused)) ?? (await this.#writeSome(lines.slice(middle), refused))
    );
  }

  /** A policy ends at a moment: the dropped lines are the oldest ones, and all others are stored. */
  #refuseOldest(lines: readonly Numbered[], count: number, reason: string, refused: RefusedPoint[]): undefined {
    const times = new Map(lines.map(({ point }) => [lineOf(point), point.at]));
    const cut = [...times.values()].sort((a, b) => a - b)[count - 1] ?? Number.NEGATIVE_INFINITY;
    const isOld = ({ point }: Numbered): boolean => point.at <= cut;
    this.#refuse(lines.filter(isOld), 'STORE_TIME', reason, refused);
    return this.#learn(lines.filter((line) => !isOld(line)).map(({ point }) => point));
  }

  #refuse(lines: readonly Numbered[], code: RefusedPoint['code'], reason: string, refused: RefusedPoint[]): void {
    for (const { index } of lines) refused.push({ index, code });
    const [first] = lines;
    const what = code === 'STORE_TIME' ? code : `${code} ${first?.point.metric}`;
    if (first === undefined || this.#told.has(what) || this.#told.size >= FIELDS_TOLD_MAX) return;
    this.#told.add(what);
    const { device, metric, post } = first.point;
    this.#log?.warn({ code, post, device, metric, points: lines.length, reason }, TOLD[code]);
  }

  #isKnown(metric: string): boolean {
    return this.#learned.has(metric) || METRICS.has(metric);
  }

  #learn(points: readonly Point[]): undefined {
    for (const { metric, value } of points)
      if (value !== null && !this.#isKnown(metric)) this.#learned.set(metric, typeOfValue(value));
  }
}

const TOLD = {
  STORE_TYPE:
    'InfluxDB holds another type in this field: its samples are kept as dead letters. Look who else writes there',
  STORE_TIME:
    'Samples are older than the retention policy keeps: they are kept as dead letters. Raise retention.rawDays to have them',
} as const;
