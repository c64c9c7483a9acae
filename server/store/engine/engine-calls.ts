// What is asked of the engine, whichever thread it runs in.

import { failed, ok, type Result } from '#domain/result.js';
import type { RollupJob, RollupSpan, SeriesRollup } from '#domain/series-rollup.js';
import type { RetentionCuts, StoreFault } from '../../ports.js';
import type { Piece, RollupPatch } from '../../rollup/rebuild.js';
import { encodeRollups, type RollupBlock } from '../block/rollup-block.js';
import { unavailable } from '../point-rules.js';
import { databasePath, faultOf, openSqlite } from '../sqlite.js';
import { type BarePoint, type CatalogueRows, ENGINE_SCHEMA, type PackedColumns, StoreEngine } from './engine.js';
import { isDamaged, type Salvage, salvage, settleSalvage } from './salvage.js';

/** A rollup on its way between threads: thousands of windows are quicker as one block. */
export interface PackedRollup {
  readonly windows: Uint8Array;
  readonly gaps: SeriesRollup['gaps'];
}

export interface EngineCalls {
  write: { asked: { record: Uint8Array; fresh: CatalogueRows | undefined }; answer: undefined };
  read: { asked: { series: number; from: number; to: number }; answer: PackedColumns };
  lastBefore: { asked: { series: number; at: number }; answer: BarePoint | undefined };
  latest: { asked: { series: readonly number[] }; answer: readonly (BarePoint | undefined)[] };
  rollUp: { asked: { questions: readonly { series: number; job: RollupJob }[] }; answer: readonly PackedRollup[] };
  rebuild: { asked: { pieces: readonly Piece<number>[]; rawSince: number }; answer: number };
  saveRollups: { asked: { patches: readonly RollupPatch<number>[] }; answer: undefined };
  readRollups: {
    asked: { series: number; span: RollupSpan; from: number; to: number };
    answer: readonly RollupBlock[];
  };
  prune: { asked: { cuts: RetentionCuts }; answer: number };
  backup: { asked: { path: string }; answer: undefined };
  /** For tests and measurements: what else happens by itself. */
  seal: { asked: { compactBefore: number }; answer: undefined };
  lookOver: { asked: Record<never, never>; answer: undefined };
  close: { asked: Record<never, never>; answer: undefined };
}

export type EngineCall = { [Op in keyof EngineCalls]: { op: Op } & EngineCalls[Op]['asked'] }[keyof EngineCalls];

export interface EngineSettings {
  readonly folder: string;
  readonly sealValues: number;
  /** Most pages that the database may have. */
  readonly pagesMax: number | undefined;
}

const PAGE_BYTES = 8192;

/** After the newest time that there is, and still one that dates can tell. */
const END_OF_TIME = 8_000_000_000_000;

export interface OpenedEngine {
  readonly engine: StoreEngine;
  readonly catalogue: CatalogueRows;
  /** What was saved, where the file was damaged. */
  readonly salvage: Salvage | undefined;
}

/** Opens `folder`/telemetry.sqlite; of a damaged file all that can be read, in a new one. */
export function openEngine(settings: EngineSettings): Result<OpenedEngine, StoreFault> {
  const path = databasePath(settings.folder, 'telemetry');
  settleSalvage(path);
  const opened = isDamaged(path) ? undefined : openFile(path, settings);
  if (opened?.ok === true) return ok({ ...opened.value, salvage: undefined });
  if (opened !== undefined && opened.fault.code !== 'STORE_DAMAGED') return opened;
  const saved = salvage(path, ENGINE_SCHEMA, PAGE_BYTES);
  if (!saved.ok) return saved;
  const again = openFile(path, settings);
  return again.ok ? ok({ ...again.value, salvage: saved.value }) : again;
}

function openFile(path: string, settings: EngineSettings): Result<Omit<OpenedEngine, 'salvage'>, StoreFault> {
  const opened = openSqlite(path, ENGINE_SCHEMA, { pageBytes: PAGE_BYTES, isGuarded: true });
  if (!opened.ok) return opened;
  const database = opened.value;
  try {
    if (settings.pagesMax !== undefined) database.pragma(`max_page_count = ${settings.pagesMax}`);
    const engine = new StoreEngine(database, path, { sealValues: settings.sealValues });
    return ok({ engine, catalogue: engine.catalogue() });
  } catch (error) {
    database.close();
    return failed(faultOf(error, path));
  }
}

type Answer = Result<EngineCalls[keyof EngineCalls]['answer'], StoreFault>;

/** Answers one call. Only a backup and a rebuild answer after the call. */
export function answer(engine: StoreEngine, call: EngineCall): Answer | Promise<Answer> {
  switch (call.op) {
    case 'write':
      return engine.write([call.record], call.fresh);
    case 'read':
      return engine.attempt(() => engine.read(call.series, call.from, call.to));
    case 'lastBefore':
      return engine.attempt(() => engine.newest(call.series, call.at, 'withValue'));
    case 'latest':
      return engine.attempt(() => call.series.map((series) => engine.newest(series, END_OF_TIME, 'any')));
    case 'rollUp':
      return engine.attempt(() => call.questions.map(({ job, series }) => packed(engine.rollUp(series, job))));
    case 'rebuild':
      return engine.rebuild(call.pieces, call.rawSince);
    case 'saveRollups':
      return engine.saveRollups(call.patches);
    case 'readRollups':
      return engine.attempt(() => engine.rollupBlocks(call.series, call.span, call.from, call.to));
    case 'prune':
      return engine.attempt(() => engine.prune(call.cuts));
    case 'backup':
      return engine.backup(call.path);
    case 'seal':
      return sealNow(engine, call.compactBefore);
    case 'lookOver':
      while (!engine.lookOver()) {
        // Some blocks at a time.
      }
      return ok(undefined);
    case 'close':
      engine.close();
      return ok(undefined);
    default:
      return unavailable('this store has no such call');
  }
}

function packed({ gaps, windows }: SeriesRollup): PackedRollup {
  return { windows: encodeRollups(windows), gaps };
}

function sealNow(engine: StoreEngine, compactBefore: number): Answer {
  engine.seal();
  while (engine.compactSome(compactBefore)) {
    // Each step is a transaction of its own.
  }
  return ok(undefined);
}

/** Memory that an answer may take along to another thread. */
export function transferable(value: EngineCalls[keyof EngineCalls]['answer']): ArrayBuffer[] {
  if (typeof value !== 'object' || value === null || !('times' in value)) return [];
  return [value.times, value.values, value.codes].map(({ buffer }) => buffer as ArrayBuffer);
}
