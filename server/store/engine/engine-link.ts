// How the store reaches its engine: in a thread of its own, or in this one.
import { Worker } from 'node:worker_threads';
import { ok, type Result } from '#domain/result.js';
import type { StoreFault } from '../../ports.js';
import { unavailable } from '../point-rules.js';
import type { CatalogueRows } from './engine.js';
import { answer, type EngineCall, type EngineCalls, type EngineSettings, openEngine } from './engine-calls.js';
import type { Salvage } from './salvage.js';

export interface EngineLink {
  ask<Op extends keyof EngineCalls>(
    op: Op,
    asked: EngineCalls[Op]['asked'],
    transfer?: readonly ArrayBuffer[],
  ): Promise<Result<EngineCalls[Op]['answer'], StoreFault>>;
  /** As of the last answer. */
  counters(): Readonly<Record<string, number>>;
  readonly catalogue: CatalogueRows;
  readonly salvage: Salvage | undefined;
}

/** What a thread tells once it has opened the file. */
export type Opening = Pick<EngineLink, 'catalogue' | 'salvage'>;

export interface FromWorker {
  /** 0 tells how opening went. */
  readonly id: number;
  readonly result: Result<unknown, StoreFault>;
  readonly counters: Readonly<Record<string, number>>;
}

export type ToWorker = EngineCall & { readonly id: number };

/** Opens the store's file in a thread of its own. A thread that breaks ends the process: nothing is left to answer. */
export function openInThread(settings: EngineSettings): Promise<Result<EngineLink, StoreFault>> {
  const isSource = import.meta.url.endsWith('.ts');
  const file = isSource ? './engine-worker-source.mjs' : './engine-worker.js';
  const worker = new Worker(new URL(file, import.meta.url), {
    workerData: settings,
    // Windows of rollups live as long as one refresh: with room for them they are not copied about.
    resourceLimits: { maxYoungGenerationSizeMb: 48 },
    ...(isSource && { execArgv: ['--conditions=source'] }),
  });
  return new Promise((resolve) => {
    const waiting = new Map<number, (result: Result<never, StoreFault>) => void>();
    let counters: Readonly<Record<string, number>> = {};
    let asked = 0;
    let isOpen = false;
    worker.on('error', (error) => {
      if (isOpen) throw error;
      resolve(unavailable(`the store's thread does not start: ${error.message}`));
    });
    worker.on('message', (message: FromWorker) => {
      counters = message.counters;
      if (message.id > 0) {
        waiting.get(message.id)?.(message.result as Result<never, StoreFault>);
        waiting.delete(message.id);
        return;
      }
      if (!message.result.ok) {
        resolve(message.result);
        return;
      }
      isOpen = true;
      resolve(
        ok({
          ...(message.result.value as Opening),
          counters: () => counters,
          ask(op, call, transfer = []) {
            asked += 1;
            const id = asked;
            return new Promise((answered) => {
              waiting.set(id, answered);
              worker.postMessage({ ...call, op, id }, transfer as ArrayBuffer[]);
            });
          },
        }),
      );
    });
  });
}

/** Opens the store's file in the caller's thread, where what is asked is done when the call returns: for virtual time. */
export function openHere(settings: EngineSettings): Result<EngineLink, StoreFault> {
  const opened = openEngine(settings);
  if (!opened.ok) return opened;
  const { catalogue, engine, salvage } = opened.value;
  return ok({
    catalogue,
    salvage,
    counters: () => engine.counters(),
    async ask(op, call) {
      const result = await answer(engine, { ...call, op } as EngineCall);
      if (op === 'write') engine.sealIfDue();
      return result as Result<never, StoreFault>;
    },
  });
}
