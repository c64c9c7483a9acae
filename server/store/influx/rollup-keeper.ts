// Rollups in InfluxDB, in measurements of their own.
import type { IPoint } from 'influx';
import { ok, type Result } from '#domain/result.js';
import { ROLLUP_SPANS, type RollupSpan, type WindowRollup } from '#domain/series-rollup.js';
import type { RollupStore, SeriesName, StoreFault } from '../../ports.js';
import type { RollupPatch } from '../../rollup/rebuild.js';
import { field, literal, milliseconds, rowsOf, sourceOf, whereDevice } from './answers.js';
import type { Connection } from './connection.js';
import { tooOldIn } from './lines.js';
import { policyOf } from './policies.js';
import { lineOfNone, lineOfWindow, measurementOf, ROLLUP_FIELDS, ROLLUP_TAGS, windowFrom } from './rollup-lines.js';

/** Lines of one request, and windows of one answer. */
const LINES_MAX = 5000;
const SELECTED = Object.keys(ROLLUP_FIELDS).map(field).join(', ');

export class RollupKeeper implements RollupStore {
  readonly #connection: Connection;
  readonly #hasPolicies: boolean;
  #tooOld = 0;

  constructor(connection: Connection, hasPolicies: boolean) {
    this.#connection = connection;
    this.#hasPolicies = hasPolicies;
    for (const span of ROLLUP_SPANS) connection.setSchema(measurementOf(span), ROLLUP_TAGS, ROLLUP_FIELDS);
  }

  counters(): Readonly<Record<string, number>> {
    return { storeRollupsTooOld: this.#tooOld };
  }

  /** What is there and not among the new ones is overwritten as gone: a `DELETE` would be another thing in InfluxDB 3. */
  async saveRollups(patches: readonly RollupPatch[]): Promise<Result<void, StoreFault>> {
    const gone = await this.#gone(patches);
    if (!gone.ok) return gone;
    for (const span of ROLLUP_SPANS) {
      const ofSpan = (patch: RollupPatch): boolean => patch.span === span;
      const lines = patches
        .filter(ofSpan)
        .flatMap(({ series, windows }) => windows.map((window) => lineOfWindow(series, span, window)));
      const fault = await this.#write(span, [...lines, ...(gone.value.get(span) ?? [])]);
      if (fault !== undefined) return { ok: false, fault };
    }
    return ok(undefined);
  }

  async #gone(patches: readonly RollupPatch[]): Promise<Result<Map<RollupSpan, IPoint[]>, StoreFault>> {
    const groups = groupsOf(patches);
    const answers = await this.#connection.queryEach(
      groups.map(
        ([{ from, series, span, to }]) =>
          `SELECT known FROM ${this.#sourceOf(span)} WHERE ${whereDevice(series)} ` +
          `AND time >= ${milliseconds(from)} AND time < ${milliseconds(to)} AND known >= 0 GROUP BY metric`,
      ),
    );
    if (!answers.ok) return answers;
    const gone = new Map<RollupSpan, IPoint[]>();
    groups.forEach((group, i) => {
      const [{ span }] = group;
      const there = rowsOf(answers.value[i]).map(({ tags, values }) => ({ metric: tags.metric, from: values[0] }));
      gone.set(span, [...(gone.get(span) ?? []), ...linesOfGone(group, there)]);
    });
    return ok(gone);
  }

  async #write(span: RollupSpan, lines: readonly IPoint[]): Promise<StoreFault | undefined> {
    const policy = this.#hasPolicies ? policyOf(span) : undefined;
    for (let start = 0; start < lines.length; start += LINES_MAX) {
      const written = await this.#connection.write(lines.slice(start, start + LINES_MAX), policy);
      if (written.kind === 'fault') return written.fault;
      if (written.kind === 'ok') continue;
      // Rollups of points that came too late for the policy of their class: they would be gone tonight.
      const tooOld = tooOldIn(written.reason);
      if (tooOld === undefined)
        return { code: 'STORE_UNAVAILABLE', message: `InfluxDB at ${this.#connection.address.url}: ${written.reason}` };
      this.#tooOld += tooOld;
    }
    return undefined;
  }

  async readRollups(
    series: SeriesName,
    span: RollupSpan,
    from: number,
    to: number,
  ): Promise<Result<readonly WindowRollup[], StoreFault>> {
    const windows: WindowRollup[] = [];
    const where = `${whereDevice(series)} AND metric = ${literal(series.metric)}`;
    const select = `SELECT ${SELECTED} FROM ${this.#sourceOf(span)} WHERE ${where}`;
    const fault = await this.#connection.readPages(select, from, to, LINES_MAX, (rows) => {
      windows.push(...rows.map(({ values }) => windowFrom(values)).filter((window) => window !== undefined));
    });
    return fault === undefined ? ok(windows) : { ok: false, fault };
  }

  #sourceOf(span: RollupSpan): string {
    return sourceOf(measurementOf(span), this.#hasPolicies ? policyOf(span) : undefined);
  }
}

type Group = readonly [RollupPatch, ...RollupPatch[]];

/** Patches of one device, span and range, which one statement asks about. */
function groupsOf(patches: readonly RollupPatch[]): Group[] {
  const groups = new Map<string, [RollupPatch, ...RollupPatch[]]>();
  for (const patch of patches) {
    const { from, series, span, to } = patch;
    const key = `${span}/${series.post}/${series.device}/${from}/${to}`;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [patch]);
    else group.push(patch);
  }
  return [...groups.values()];
}

function linesOfGone(group: Group, there: readonly { metric: string | undefined; from: unknown }[]): IPoint[] {
  const lines: IPoint[] = [];
  for (const { series, span, windows } of group) {
    const kept = new Set(windows.map(({ from }) => from));
    for (const { from, metric } of there)
      if (metric === series.metric && typeof from === 'number' && !kept.has(from))
        lines.push(lineOfNone(series, span, from));
  }
  return lines;
}
