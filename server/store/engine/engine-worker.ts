// The thread of the embedded store: answers in order, and between answers seals and compacts.
import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import type { StoreEngine } from './engine.js';
import { answer, type EngineSettings, openEngine, transferable } from './engine-calls.js';
import type { FromWorker, Opening, ToWorker } from './engine-link.js';

/** Days are compacted when hardly anything comes late any more. */
const COMPACT_AFTER_MS = 2 * 86_400_000;
/** Short steps with pauses, so that no answer waits for long and no core is busy with it. */
const COMPACT_PAUSE_MS = 250;
const COMPACT_IDLE_MS = 60_000;

/** Some thousand blocks in a minute, and again when a day has passed since the last. */
const LOOK_PAUSE_MS = 5000;
const LOOK_AGAIN_MS = 86_400_000;

const WRITES_AT_ONCE = 16;

const port = parentPort;
if (port === null) throw new Error('this is a thread of the store, not a program');
let compacting: NodeJS.Timeout | undefined;
let looking: NodeJS.Timeout | undefined;
const opened = openEngine(workerData as EngineSettings);

function say(message: FromWorker, transfer: ArrayBuffer[] = []): void {
  port?.postMessage(message, transfer);
}

if (opened.ok) {
  const { catalogue, engine, salvage } = opened.value;
  const opening: Opening = { catalogue, salvage };
  say({ id: 0, result: { ok: true, value: opening }, counters: engine.counters() });
  port.on('message', (call: ToWorker) => void serve(engine, call));
  keepCompact(engine);
  looking = setTimeout(() => keepLooking(engine), LOOK_PAUSE_MS);
} else {
  say({ id: 0, result: opened, counters: {} });
}

async function serve(engine: StoreEngine, call: ToWorker): Promise<void> {
  if (call.op === 'write' && call.fresh === undefined) {
    const next = serveWrites(engine, call);
    if (next !== undefined) await serve(engine, next);
    return;
  }
  const asked = answer(engine, call);
  const result = asked instanceof Promise ? await asked : asked;
  const transfer = result.ok ? transferable(result.value) : [];
  say({ id: call.id, result, counters: engine.counters() }, transfer);
  if (call.op === 'write') engine.sealIfDue();
  if (call.op === 'close') {
    clearTimeout(compacting);
    clearTimeout(looking);
    port?.close();
  }
}

type Write = Extract<ToWorker, { op: 'write' }>;

/** All writes that wait already are made durable at once. Gives the call behind them that is none. */
function serveWrites(engine: StoreEngine, first: Write): ToWorker | undefined {
  const writes = [first];
  let next: ToWorker | undefined;
  while (port !== null && writes.length < WRITES_AT_ONCE && next === undefined) {
    const call: ToWorker | undefined = receiveMessageOnPort(port)?.message;
    if (call === undefined) break;
    if (call.op === 'write' && call.fresh === undefined) writes.push(call);
    else next = call;
  }
  const result = engine.write(
    writes.map(({ record }) => record),
    undefined,
  );
  const counters = engine.counters();
  for (const { id } of writes) say({ id, result, counters });
  engine.sealIfDue();
  return next;
}

function keepCompact(engine: StoreEngine): void {
  const isMore = engine.compactSome(Date.now() - COMPACT_AFTER_MS);
  compacting = setTimeout(() => keepCompact(engine), isMore ? COMPACT_PAUSE_MS : COMPACT_IDLE_MS);
}

function keepLooking(engine: StoreEngine): void {
  const isDone = engine.lookOver();
  looking = setTimeout(() => keepLooking(engine), isDone ? LOOK_AGAIN_MS : LOOK_PAUSE_MS);
}
