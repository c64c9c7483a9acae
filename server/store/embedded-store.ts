// The store without a service: compressed blocks in one SQLite file in the data folder, behind a thread of their own.
import { ok, type Result } from '#domain/result.js';
import type { RollupSpan, SeriesRollup, WindowRollup } from '#domain/series-rollup.js';
import type { Log } from '../ingest/log.js';
import type {
  BackedUp,
  Point,
  Pruned,
  Rebuilding,
  RefusedPoint,
  RetentionCuts,
  RollupQuestion,
  RollupStore,
  SeriesName,
  Store,
  StoreFault,
} from '../ports.js';
import type { Piece, RollupPatch } from '../rollup/rebuild.js';
import { decodeRollups, windowsIn } from './block/rollup-block.js';
import { Catalogue, type SeriesEntry } from './engine/catalogue.js';
import type { BarePoint, PackedColumns } from './engine/engine.js';
import type { EngineCalls, EngineSettings } from './engine/engine-calls.js';
import { type EngineLink, openHere, openInThread } from './engine/engine-link.js';
import { RecordPacker } from './engine/log-record.js';
import { refusalOf, TIME_MAX, TIME_MIN, unavailable } from './point-rules.js';
import { databasePath } from './sqlite.js';

export interface EmbeddedStoreOptions {
  readonly folder: string;
  /** Most pages of 8 kB that the database may have. For a small disk, and to see what a full one does. */
  readonly pagesMax?: number;
  /** Told of what is damaged. */
  readonly log?: Pick<Log, 'warn'>;
  /** So many points wait in the log before they are sealed into blocks. */
  readonly sealValues?: number;
}

export interface EmbeddedStore extends Store, RollupStore, Rebuilding, Pruned, BackedUp {
  /** Seals what is in the log, and makes one block of each day before `compactBefore`, epoch ms; both also happen by themselves. */
  seal(compactBefore: number): Promise<Result<void, StoreFault>>;
  /** Looks at every block, whether it is there and whole; this also happens by itself, some at a time. */
  lookOver(): Promise<Result<void, StoreFault>>;
  counters(): Readonly<Record<string, number>>;
}

/** Their log is read back within a second. */
const SEAL_VALUES = 4_000_000;
const NO_SERIES = 0;

/**
 * Opens the store in `folder`/telemetry.sqlite, read and written in a thread of its own, so that the caller's never waits.
 * Faults: `STORE_UNAVAILABLE` (not writable, damaged, in use by another process), `STORE_FULL`.
 */
export async function openEmbeddedStore(options: EmbeddedStoreOptions): Promise<Result<EmbeddedStore, StoreFault>> {
  const link = await openInThread(settingsOf(options));
  return link.ok ? ok(new BlockStore(link.value, options)) : link;
}

/** The same store in the caller's thread, where whatever is asked is done at once: for virtual time. */
export function openEmbeddedStoreHere(options: EmbeddedStoreOptions): Result<EmbeddedStore, StoreFault> {
  const link = openHere(settingsOf(options));
  return link.ok ? ok(new BlockStore(link.value, options)) : link;
}

function settingsOf({ folder, pagesMax, sealValues = SEAL_VALUES }: EmbeddedStoreOptions): EngineSettings {
  return { folder, pagesMax, sealValues };
}

class BlockStore implements EmbeddedStore {
  readonly #link: EngineLink;
  readonly #path: string;
  readonly #log: Pick<Log, 'warn'> | undefined;
  readonly #catalogue: Catalogue;
  #damaged = 0;
  readonly #packer = new RecordPacker();
  /** A write that is the first to name something; until it is stored nobody may build on the name. */
  #naming: Promise<unknown> | undefined;
  #isOpen = true;
  readonly #counters = { storeWrites: 0, storePoints: 0, storePointsRefused: 0, storeFaults: 0 };

  constructor(link: EngineLink, { folder, log }: EmbeddedStoreOptions) {
    this.#link = link;
    this.#path = databasePath(folder, 'telemetry');
    this.#log = log;
    this.#catalogue = new Catalogue(link.catalogue);
    if (link.salvage !== undefined)
      log?.warn({ code: 'STORE_SALVAGED', ...link.salvage }, `${this.#path} was damaged; what could be read was saved`);
    this.#tellDamage();
  }

  /** Once for each thing that is found damaged. */
  #tellDamage(): void {
    const { storeBlocksDamaged = 0, storeRecordsDamaged = 0, storeRollupBlocksDamaged = 0 } = this.#link.counters();
    const damaged = storeBlocksDamaged + storeRecordsDamaged + storeRollupBlocksDamaged;
    if (damaged <= this.#damaged) return;
    this.#damaged = damaged;
    const facts = { storeBlocksDamaged, storeRecordsDamaged, storeRollupBlocksDamaged };
    this.#log?.warn({ code: 'STORE_BLOCK_DAMAGED', ...facts }, `${this.#path} holds what cannot be read any more`);
  }

  async write(points: readonly Point[]): Promise<Result<readonly RefusedPoint[], StoreFault>> {
    while (this.#naming !== undefined) await this.#naming;
    if (!this.#isOpen) return unavailable(`${this.#path} is closed`);
    const refused: RefusedPoint[] = [];
    this.#pack(points, refused);
    if (this.#packer.count > 0) {
      const written = await this.#send();
      if (!written.ok) return written;
    }
    this.#counters.storeWrites += 1;
    this.#counters.storePoints += points.length - refused.length;
    this.#counters.storePointsRefused += refused.length;
    return ok(refused);
  }

  #pack(points: readonly Point[], refused: RefusedPoint[]): void {
    const packer = this.#packer;
    packer.begin();
    let last: SeriesEntry | undefined;
    for (let index = 0; index < points.length; index += 1) {
      const point = points[index] as Point;
      const { at, code, value } = point;
      // The common case first, without a call: a number at a time within the years.
      if (typeof value !== 'number' || !isPlain(at, value)) {
        const refusal = refusalOf(point, (metric) => this.#catalogue.typeOf(metric));
        if (refusal !== undefined) {
          refused.push({ index, code: refusal });
          continue;
        }
      }
      const entry = this.#catalogue.entryOf(point, last);
      last = entry;
      if (value === null) packer.none(entry.id, at, code);
      else if (this.#takes(entry, typeof value === 'number' ? 'number' : 'text')) {
        if (typeof value === 'number') packer.number(entry.id, at, value, code);
        else packer.word(entry.id, at, value, code);
      } else refused.push({ index, code: 'STORE_TYPE' });
    }
  }

  #takes({ metricEntry }: SeriesEntry, type: 'number' | 'text'): boolean {
    if (metricEntry.type === undefined) this.#catalogue.learn(metricEntry, type);
    return metricEntry.type === type;
  }

  async #send(): Promise<Result<unknown, StoreFault>> {
    const record = this.#packer.taken();
    const fresh = this.#catalogue.fresh();
    const sent = this.#ask('write', { record, fresh }, [record.buffer as ArrayBuffer]);
    if (fresh === undefined) return sent;
    this.#naming = sent.then(({ ok }) => {
      this.#catalogue.settle(ok);
      this.#naming = undefined;
    });
    await this.#naming;
    return sent;
  }

  async #ask<Op extends keyof EngineCalls>(
    op: Op,
    asked: EngineCalls[Op]['asked'],
    transfer: readonly ArrayBuffer[] = [],
  ): Promise<Result<EngineCalls[Op]['answer'], StoreFault>> {
    if (!this.#isOpen) return unavailable(`${this.#path} is closed`);
    const result = await this.#link.ask(op, asked, transfer);
    if (!result.ok) this.#counters.storeFaults += 1;
    this.#tellDamage();
    return result;
  }

  #idOf(series: SeriesName): number {
    return this.#catalogue.find(series)?.id ?? NO_SERIES;
  }

  async read(series: SeriesName, from: number, to: number): Promise<Result<readonly Point[], StoreFault>> {
    const read = await this.#ask('read', { series: this.#idOf(series), from, to });
    return read.ok ? ok(pointsOf(series, read.value)) : read;
  }

  async lastBefore(series: SeriesName, at: number): Promise<Result<Point | undefined, StoreFault>> {
    const found = await this.#ask('lastBefore', { series: this.#idOf(series), at });
    return found.ok ? ok(found.value && pointOf(series, found.value)) : found;
  }

  async latest(post: string): Promise<Result<readonly Point[], StoreFault>> {
    const entries = this.#catalogue.ofPost(post);
    const found = await this.#ask('latest', { series: entries.map(({ id }) => id) });
    if (!found.ok) return found;
    return ok(
      entries.flatMap((entry, i) => {
        const bare = found.value[i];
        return bare === undefined ? [] : [pointOf(entry, bare)];
      }),
    );
  }

  async rollUp(questions: readonly RollupQuestion[]): Promise<Result<readonly SeriesRollup[], StoreFault>> {
    const asked = questions.map(({ series, ...job }) => ({ series: this.#idOf(series), job }));
    const rolled = await this.#ask('rollUp', { questions: asked });
    return rolled.ok
      ? ok(rolled.value.map(({ gaps, windows }) => ({ gaps, windows: decodeRollups(windows) })))
      : rolled;
  }

  async rebuild(pieces: readonly Piece[], rawSince: number): Promise<Result<number, StoreFault>> {
    return this.#ask('rebuild', { pieces: this.#numbered(pieces), rawSince });
  }

  async saveRollups(patches: readonly RollupPatch[]): Promise<Result<void, StoreFault>> {
    return this.#ask('saveRollups', { patches: this.#numbered(patches) });
  }

  /** A series without points has no number, and nothing to roll up. */
  #numbered<T extends { series: SeriesName }>(about: readonly T[]): (Omit<T, 'series'> & { series: number })[] {
    return about.flatMap((one) => {
      const series = this.#idOf(one.series);
      return series === NO_SERIES ? [] : [{ ...one, series }];
    });
  }

  async readRollups(
    series: SeriesName,
    span: RollupSpan,
    from: number,
    to: number,
  ): Promise<Result<readonly WindowRollup[], StoreFault>> {
    const read = await this.#ask('readRollups', { series: this.#idOf(series), span, from, to });
    if (!read.ok) return read;
    return ok(windowsIn(read.value, from, to));
  }

  prune(cuts: RetentionCuts): Promise<Result<number, StoreFault>> {
    return this.#ask('prune', { cuts });
  }

  backup(path: string): Promise<Result<void, StoreFault>> {
    return this.#ask('backup', { path });
  }

  seal(compactBefore: number): Promise<Result<void, StoreFault>> {
    return this.#ask('seal', { compactBefore });
  }

  lookOver(): Promise<Result<void, StoreFault>> {
    return this.#ask('lookOver', {});
  }

  counters(): Readonly<Record<string, number>> {
    return { ...this.#counters, ...this.#link.counters() };
  }

  async close(): Promise<void> {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    const closed = await this.#link.ask('close', {});
    if (!closed.ok) throw new Error(closed.fault.message);
  }
}

function isPlain(at: number, value: number): boolean {
  return at >= TIME_MIN && at < TIME_MAX && Number.isInteger(at) && Number.isFinite(value);
}

function pointsOf({ device, metric, post }: SeriesName, { codes, times, values, words }: PackedColumns): Point[] {
  return Array.from(times, (at, place) => {
    const packed = values[place] as number;
    const value = Number.isNaN(packed) ? null : words === undefined ? packed : (words[packed] as string);
    return { post, device, metric, at, value, code: codes[place] as number };
  });
}

function pointOf({ device, metric, post }: SeriesName, { at, code, value }: BarePoint): Point {
  return { post, device, metric, at, value, code };
}
