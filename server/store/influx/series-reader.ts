// Points out of InfluxDB: whole, by pages, or rolled up here, since InfluxQL knows neither gaps nor counters.
import { isMeasured } from '#domain/quality.js';
import { ok, type Result } from '#domain/result.js';
import { lookBackMs, rollUpSeries, type SeriesRollup } from '#domain/series-rollup.js';
import type { Point, RollupQuestion, SeriesName, StoreFault } from '../../ports.js';
import { columnsOf } from '../point-columns.js';
import { field, literal, milliseconds, pointFrom, type Row, rowsOf, sourceOf, whereDevice } from './answers.js';
import type { Connection } from './connection.js';
import { MEASUREMENT, QUALITY, qualityField } from './lines.js';

/** Values of one answer: it is read as one text. */
const PAGE_VALUES = 20_000;
/** Series of a device that are read together where a question is about days, and days where it is about one. */
const SERIES_DAYS_MAX = 60;
/** So far back is looked for the point that says why nothing is known. */
const WHY_MS_MAX = 35 * 86_400_000;
const DAY_MS = 86_400_000;

type Read<T> = Promise<Result<T, StoreFault>>;
/** Questions about one device that are answered from the same stretch of time. */
type Group = readonly { readonly question: RollupQuestion; readonly place: number }[];

export class SeriesReader {
  readonly #connection: Connection;
  /** Where points are: a measurement, by its policy where it has one. */
  readonly #source: string;

  constructor(connection: Connection, policy: string | undefined) {
    this.#connection = connection;
    this.#source = sourceOf(MEASUREMENT, policy);
  }

  async read(series: SeriesName, from: number, to: number): Read<readonly Point[]> {
    const read = await this.#readDevice(series, [series.metric], from, to);
    return read.ok ? ok(read.value[0] ?? []) : read;
  }

  async lastBefore(series: SeriesName, at: number): Read<Point | undefined> {
    const read = await this.#lastBefore([series], at);
    return read.ok ? ok(read.value[0]) : read;
  }

  /** One statement per metric, in few requests: `last()` of several fields at once would tell no times. */
  async latest(post: string): Read<readonly Point[]> {
    const keys = await this.#connection.query(`SHOW FIELD KEYS FROM ${this.#source}`);
    if (!keys.ok) return keys;
    const names = new Set(rowsOf(keys.value[0]).map(({ values }) => String(values[0])));
    const metrics = [...names].filter((name) => name.endsWith(QUALITY)).map((name) => name.slice(0, -QUALITY.length));
    const answers = await this.#connection.queryEach(
      metrics.map((metric) => this.#newestOf(post, metric, names.has(metric))),
    );
    if (!answers.ok) return answers;
    return ok(
      metrics.flatMap((metric, i) =>
        rowsOf(answers.value[i]).flatMap(({ tags, values: [at, code, value = null] }) =>
          pointFrom({ post, device: tags.device ?? '', metric }, [at, value, code]),
        ),
      ),
    );
  }

  /** Series of one device are read together: their points are on the same lines. */
  async rollUp(questions: readonly RollupQuestion[]): Read<readonly SeriesRollup[]> {
    const answers: SeriesRollup[] = [];
    for (const group of groupsOf(questions)) {
      const fault = await this.#rollUpGroup(group, answers);
      if (fault !== undefined) return { ok: false, fault };
    }
    return ok(answers);
  }

  async #rollUpGroup(group: Group, answers: SeriesRollup[]): Promise<StoreFault | undefined> {
    const [first] = group;
    if (first === undefined) return undefined;
    const from = first.question.from - lookBackMs(first.question);
    const metrics = group.map(({ question }) => question.series.metric);
    const before = await this.#lastMeasuredBefore(
      group.map(({ question }) => question.series),
      from,
    );
    if (!before.ok) return before.fault;
    const inside = await this.#readDevice(first.question.series, metrics, from, first.question.to);
    if (!inside.ok) return inside.fault;
    for (const [i, { place, question }] of group.entries()) {
      const measured = before.value[i];
      const why = await this.#whyUnknown(question, measured, from);
      if (!why.ok) return why.fault;
      const points = [...(measured === undefined ? [] : [measured]), ...why.value];
      answers[place] = rollUpSeries(columnsOf(points.concat(inside.value[i] ?? [])), question);
    }
    return undefined;
  }

  /** Behind the last measured point there may be one that tells why nothing is known since. */
  async #whyUnknown(question: RollupQuestion, measured: Point | undefined, to: number): Read<readonly Point[]> {
    if (question.withGaps !== true) return ok([]);
    const from = Math.max((measured?.at ?? 0) + 1, to - WHY_MS_MAX);
    const { metric } = question.series;
    const answer = await this.#connection.query(
      `SELECT ${this.#fieldsOf([metric])} FROM ${this.#source} WHERE ${whereDevice(question.series)} ` +
        `AND time >= ${milliseconds(from)} AND time < ${milliseconds(to)} ORDER BY time DESC LIMIT 1`,
    );
    return answer.ok ? ok(rowsOf(answer.value[0]).flatMap(({ values }) => pointFrom(question.series, values))) : answer;
  }

  /** Points of some series of a device, by time. */
  async #readDevice(device: SeriesName, metrics: readonly string[], from: number, to: number): Read<Point[][]> {
    const points: Point[][] = metrics.map(() => []);
    const rowsMax = Math.ceil(PAGE_VALUES / metrics.length);
    const select = `SELECT ${this.#fieldsOf(metrics)} FROM ${this.#source} WHERE ${whereDevice(device)}`;
    const fault = await this.#connection.readPages(select, from, to, rowsMax, (rows) => {
      metrics.forEach((metric, i) => void points[i]?.push(...pointsIn(rows, { ...device, metric }, i)));
    });
    if (fault !== undefined) return { ok: false, fault };
    return ok(points);
  }

  /** The newest measured point of each before `at`: behind it there are only points without a value, or in doubt. */
  async #lastMeasuredBefore(series: readonly SeriesName[], at: number): Read<(Point | undefined)[]> {
    const found = await this.#lastBefore(series, at);
    if (!found.ok) return found;
    for (const [i, one] of series.entries()) {
      for (let last = found.value[i]; last !== undefined && !isMeasured(last.code); ) {
        const before = await this.#lastBefore([one], last.at);
        if (!before.ok) return before;
        [last] = before.value;
        found.value[i] = last;
      }
    }
    return found;
  }

  async #lastBefore(series: readonly SeriesName[], at: number): Read<(Point | undefined)[]> {
    const statements = series.map(
      (one) =>
        `SELECT ${this.#fieldsOf([one.metric])} FROM ${this.#source} WHERE ${whereDevice(one)} ` +
        `AND time < ${milliseconds(at)} AND ${field(qualityField(one.metric))} < 32 ORDER BY time DESC LIMIT 1`,
    );
    const answers = await this.#connection.queryEach(statements);
    if (!answers.ok) return answers;
    return ok(series.map((one, i) => rowsOf(answers.value[i]).flatMap(({ values }) => pointFrom(one, values))[0]));
  }

  #fieldsOf(metrics: readonly string[]): string {
    return metrics.map((metric) => `${field(metric)}, ${field(qualityField(metric))}`).join(', ');
  }

  #newestOf(post: string, metric: string, hasField: boolean): string {
    const value = hasField ? `, ${field(metric)} AS v` : '';
    return `SELECT last(${field(qualityField(metric))}) AS q${value} FROM ${this.#source} WHERE post = ${literal(post)} GROUP BY device`;
  }
}

/** The points of the metric at this place of the fields that were asked for. */
function pointsIn(rows: readonly Row[], series: SeriesName, place: number): Point[] {
  return rows.flatMap(({ values }) => pointFrom(series, [values[0], values[1 + 2 * place], values[2 + 2 * place]]));
}

function groupsOf(questions: readonly RollupQuestion[]): Group[] {
  const groups = new Map<string, { question: RollupQuestion; place: number }[]>();
  questions.forEach((question, place) => {
    const { from, series, to } = question;
    const key = `${series.post}/${series.device}/${from - lookBackMs(question)}/${to}`;
    groups.set(key, [...(groups.get(key) ?? []), { question, place }]);
  });
  return [...groups.values()].flatMap((group) => {
    const days = ((group[0]?.question.to ?? 0) - (group[0]?.question.from ?? 0)) / DAY_MS;
    const size = Math.max(1, Math.floor(SERIES_DAYS_MAX / Math.max(1, days)));
    return Array.from({ length: Math.ceil(group.length / size) }, (_, i) => group.slice(i * size, (i + 1) * size));
  });
}
