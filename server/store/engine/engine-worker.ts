// The thread of the embedded store: answers in order, and between answers seals and compacts.
import { parentPort, workerData } from 'node:worker_threads';
import type { StoreEngine } from './engine.js';
import { answer, type EngineSettings, openEngine, transferable } from './engine-calls.js';
import type { FromWorker, Opening, ToWorker } from './engine-link.js';

/** Days are compacted when hardly anything comes late any more. */
const COMPACT_AFTER_MS = 2 * 86_400_000;
/** Short steps with pauses, so that no answer waits for long and no core is busy with it. */
const COMPACT_PAUSE_MS = 250;
const COMPACT_IDLE_MS = 60_000;

const port = parentPort;
if (port === null) throw new Error('this is a thread of the store, not a program');
let compacting: NodeJS.Timeout | undefined;
const opened = openEngine(workerData as EngineSettings);

function say(message: FromWorker, transfer: ArrayBuffer[] = []): void {
  port?.postMessage(message, transfer);
}

if (opened.ok) {
  const { engine, salvage } = opened.value;
  const opening: Opening = { catalogue: engine.catalogue(), salvage };
  say({ id: 0, result: { ok: true, value: opening }, counters: engine.counters() });
  port.on('message', (call: ToWorker) => void serve(engine, call));
  keepCompact(engine);
} else {
  say({ id: 0, result: opened, counters: {} });
}

async function serve(engine: StoreEngine, call: ToWorker): Promise<void> {
  const asked = answer(engine, call);
  const result = asked instanceof Promise ? await asked : asked;
  const transfer = result.ok ? transferable(result.value) : [];
  say({ id: call.id, result, counters: engine.counters() }, transfer);
  if (call.op === 'write') engine.sealIfDue();
  if (call.op === 'close') {
    clearTimeout(compacting);
    port?.close();
  }
}

function keepCompact(engine: StoreEngine): void {
  const isMore = engine.compactSome(Date.now() - COMPACT_AFTER_MS);
  compacting = setTimeout(() => keepCompact(engine), isMore ? COMPACT_PAUSE_MS : COMPACT_IDLE_MS);
}
