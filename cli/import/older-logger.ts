// `oftob import --mapping`: files of an older logger, read by what a mapping says of them, sent to the server as late data.
import { createHash } from 'node:crypto';
import { createReadStream, statSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { basename } from 'node:path';
import { type ImportNote, POINTS_MAX, type PointsRequest } from '#contract/points.js';
import { ok, type Result } from '#domain/result.js';
import { type CommandFault, fault } from '../command.js';
import type { Mapping } from './mapping.js';
import { createRowReader, type ImportedPoint, type Reject } from './points.js';
import type { PointsDoor } from './points-door.js';
import { FileFault, rowsOf } from './rows.js';

/** What became of one file. */
export interface FileSummary {
  readonly file: string;
  readonly rows: number;
  readonly points: number;
  readonly stored: number;
  readonly rejected: number;
  /** Where the rejected rows and cells are; absent where there are none. */
  readonly rejectsFile?: string;
  readonly from: number | null;
  readonly to: number | null;
  readonly series: readonly SeriesSummary[];
}

export interface SeriesSummary {
  readonly device: string;
  readonly metric: string;
  points: number;
  missing: number;
  first: ImportedPoint;
  last: ImportedPoint;
  min: number | null;
  max: number | null;
}

export interface OlderLoggerDeps {
  readonly mapping: Mapping;
  /** Absent for a dry run. */
  readonly door: PointsDoor | undefined;
  readonly by: string;
  readonly now: number;
}

/** Reads and sends one file. What the server has stored stays stored, and is stored once when the file comes again. */
export async function importOlder(file: string, deps: OlderLoggerDeps): Promise<Result<FileSummary, CommandFault>> {
  try {
    if (!statSync(file).isFile()) return fault('IMPORT_UNREADABLE', `${file} is no file`);
    return await new FileImport(file, deps).run();
  } catch (error) {
    if (error instanceof FileFault) return fault(error.code, `${file} ${error.message}`);
    if ((error as NodeJS.ErrnoException).code === undefined) throw error;
    return fault('IMPORT_UNREADABLE', `cannot read or write beside ${file}: ${(error as Error).message}`);
  }
}

class FileImport {
  readonly #file: string;
  readonly #deps: OlderLoggerDeps;
  readonly #series = new Map<string, SeriesSummary>();
  readonly #hash = createHash('sha256');
  #batch: { readonly point: ImportedPoint; readonly line: number }[] = [];
  #rows = 0;
  #points = 0;
  #stored = 0;
  #rejected = 0;
  #rejects: FileHandle | undefined;

  constructor(file: string, deps: OlderLoggerDeps) {
    this.#file = file;
    this.#deps = deps;
  }

  async run(): Promise<Result<FileSummary, CommandFault>> {
    try {
      const { mapping, now } = this.#deps;
      const read = createRowReader(mapping, now);
      for await (const row of rowsOf(this.#bytes(), mapping)) {
        this.#rows += 1;
        const { points, rejects } = read(row);
        for (const reject of rejects) await this.#reject(reject);
        for (const point of points) this.#take(point, row.line);
        if (this.#batch.length < POINTS_MAX) continue;
        const sent = await this.#send();
        if (!sent.ok) return sent;
      }
      const sent = await this.#send();
      if (!sent.ok) return sent;
      const summary = this.#summary();
      const noted = await this.#note(summary);
      return noted.ok ? ok(summary) : noted;
    } finally {
      await this.#rejects?.close();
    }
  }

  async *#bytes(): AsyncGenerator<Uint8Array> {
    for await (const chunk of createReadStream(this.#file)) {
      this.#hash.update(chunk as Uint8Array);
      yield chunk as Uint8Array;
    }
  }

  #take(point: ImportedPoint, line: number): void {
    this.#batch.push({ point, line });
    this.#points += 1;
    const key = `${point.device}/${point.metric}`;
    const { device, metric } = point;
    const fresh = { device, metric, points: 0, missing: 0, first: point, last: point, min: null, max: null };
    const series = this.#series.get(key) ?? fresh;
    this.#series.set(key, series);
    series.points += 1;
    if (point.value === null) series.missing += 1;
    if (point.at < series.first.at) series.first = point;
    if (point.at >= series.last.at) series.last = point;
    if (typeof point.value !== 'number') return;
    series.min = Math.min(point.value, series.min ?? point.value);
    series.max = Math.max(point.value, series.max ?? point.value);
  }

  async #reject(
    reject: Reject | { readonly line: number; readonly code: string; readonly message: string },
  ): Promise<void> {
    this.#rejected += 1;
    this.#rejects ??= await open(rejectsOf(this.#file), 'w');
    await this.#rejects.write(`${JSON.stringify(reject)}\n`);
  }

  /** In portions that the server takes: a row may have hundreds of points. */
  async #send(): Promise<Result<undefined, CommandFault>> {
    const batch = this.#batch;
    this.#batch = [];
    const { door } = this.#deps;
    for (let start = 0; door !== undefined && start < batch.length; start += POINTS_MAX) {
      const some = batch.slice(start, start + POINTS_MAX);
      const taken = await door.send(requestOf(some.map(({ point }) => point)));
      if (!taken.ok) return taken;
      this.#stored += taken.value.stored;
      for (const { code, index } of taken.value.refused) {
        const message =
          code === 'STORE_TIME' ? 'is outside the time that the server keeps' : 'is of another type there';
        await this.#reject({ line: some[index]?.line ?? 0, code, message });
      }
    }
    return ok(undefined);
  }

  async #note({ from, rejected, stored, to }: FileSummary): Promise<Result<undefined, CommandFault>> {
    const { by, door } = this.#deps;
    const note: ImportNote = {
      by,
      file: basename(this.#file),
      sha256: this.#hash.digest('hex'),
      stored,
      rejected,
      from,
      to,
    };
    return door === undefined ? ok(undefined) : door.note(note);
  }

  #summary(): FileSummary {
    const series = [...this.#series.values()];
    return {
      file: this.#file,
      rows: this.#rows,
      points: this.#points,
      stored: this.#stored,
      rejected: this.#rejected,
      ...(this.#rejects !== undefined && { rejectsFile: rejectsOf(this.#file) }),
      from: series.length === 0 ? null : Math.min(...series.map(({ first }) => first.at)),
      to: series.length === 0 ? null : Math.max(...series.map(({ last }) => last.at)),
      series,
    };
  }
}

function rejectsOf(file: string): string {
  return `${file}.rejects.jsonl`;
}

/** Names once, points by their place among them. */
function requestOf(points: readonly ImportedPoint[]): PointsRequest {
  const places = new Map<string, number>();
  const series: { device: string; metric: string }[] = [];
  const rows = points.map(({ at, code, device, metric, value }): PointsRequest['points'][number] => {
    const key = `${device}/${metric}`;
    const place = places.get(key) ?? series.push({ device, metric }) - 1;
    places.set(key, place);
    return [place, at, value, code];
  });
  return { series, points: rows };
}
