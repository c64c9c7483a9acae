// Each property runs once on what the generator gives it, throws where it does not hold, and says whether the input was
// taken for good.
import assert from 'node:assert/strict';
import { deflateRawSync } from 'node:zlib';
import { type DataSample, decodeData, encodeData, packData } from '#contract/data.js';
import { type AlarmEvent, initialAlarm, stepAlarm } from '#domain/alarm.js';
import { EMPTY_CHAIN, followCounter } from '#domain/counter.js';
import { followMbap } from '#gateway/bus/mbap.js';
import { crc16, findAnswer, frameBytes, shapeOf } from '#gateway/bus/rtu-frame.js';
import type { Generator } from './generator.js';

export interface Property {
  readonly name: string;
  /** Runs for each one that was asked for: the slow ones run less often. */
  readonly weight: number;
  readonly run: (random: Generator) => boolean;
  /** Of so many runs one may be taken for good by chance. */
  readonly chance?: number;
}

const EPOCH = '00112233445566aa';
const HOUR_MS = 3_600_000;

function samplesOf(random: Generator): DataSample[] {
  return Array.from({ length: 1 + random.below(40) }, (_, place): DataSample => {
    const value = random.pick([random.below(1e6) / 10, -random.next() * 1e9, -0, 5e-324, 1.7e308, 'on', '']);
    return { record: 1 + random.below(3), index: place, at: random.below(8e12), value, code: 0 };
  });
}

const honest = { birth: 1, epoch: EPOCH, historical: false, samples: Array.from({ length: 60 }, honestSample) };
function honestSample(_: unknown, index: number): DataSample {
  return { record: 1, index, at: 1_750_000_000_000, value: index / 10, code: 0 };
}
const packed = packData(honest);
const deflated = encodeData(honest);

function damage(random: Generator, from: Uint8Array): Uint8Array {
  let bytes = Uint8Array.from(from);
  for (let edits = random.below(4); edits > 0; edits -= 1) bytes[random.below(bytes.length)] = random.below(256);
  if (random.below(4) === 0) bytes = bytes.slice(0, random.below(bytes.length));
  return bytes;
}

/** Whatever is opened can be packed again: nothing that the types forbid came through the door. */
function opens(bytes: Uint8Array): boolean {
  const opened = decodeData(bytes);
  if (opened.ok)
    for (const { record, index, at, value, code } of opened.value.samples) {
      for (const number of [record, index, at, code]) assert.ok(Number.isSafeInteger(number) && number >= 0);
      if (typeof value === 'number') assert.ok(Number.isFinite(value));
    }
  return opened.ok;
}

function roundTrip(random: Generator): boolean {
  const samples = samplesOf(random);
  const opened = decodeData(encodeData({ birth: 1, epoch: EPOCH, historical: true, samples }));
  assert.ok(opened.ok);
  const byIndex = new Map(opened.value.samples.map((sample) => [sample.index, sample]));
  assert.equal(opened.value.samples.length, samples.length);
  for (const sample of samples) assert.deepEqual(byIndex.get(sample.index), sample);
  return true;
}

const question = { unit: 1, table: 'holding', count: 10 } as const;
const shape = shapeOf(question);

function rtuFrame(random: Generator): Uint8Array {
  const frame = random.bytes(frameBytes(shape));
  frame.set([shape.unit, shape.function, shape.byteCount]);
  const crc = crc16(frame.subarray(0, -2));
  frame.set([crc & 0xff, crc >>> 8], frame.length - 2);
  return frame;
}

/** Noise that has the head of an answer in half of the runs; a checksum of 16 bits lets 1 of 65536 through. */
function rtuNoise(random: Generator): boolean {
  const bytes = random.bytes(random.below(40));
  if (random.below(2) === 0 && bytes.length > 3) bytes.set([shape.unit, shape.function, shape.byteCount]);
  return findAnswer(bytes, [shape]) !== undefined;
}

function rtuBehindNoise(random: Generator): boolean {
  const frame = rtuFrame(random);
  // Bytes of the unit would begin a frame of their own.
  const noise = random.bytes(random.below(20)).map((byte) => (byte === shape.unit ? 0 : byte));
  const found = findAnswer(Uint8Array.from([...noise, ...frame, ...random.bytes(random.below(5))]), [shape]);
  assert.equal(found?.end, noise.length + frame.length);
  assert.ok(found?.answer.kind === 'values');
  assert.deepEqual(found.answer.bytes, frame.slice(3, -2));
  return true;
}

function mbapNoise(random: Generator): boolean {
  const bytes = random.bytes(12 + random.below(30));
  if (random.below(2) === 0) bytes.set([0, 0, random.below(2), random.below(256)], 2);
  const before = Uint8Array.from(bytes);
  const fault = followMbap().follow(bytes);
  assert.deepEqual(bytes, before);
  if (before[2] !== 0 || before[3] !== 0 || before[4] !== 0) assert.ok(fault !== undefined);
  return fault === undefined;
}

function mbapInPieces(random: Generator): boolean {
  const bytes = Array.from({ length: 1 + random.below(3) }, () => {
    const pdu = random.bytes(2 + random.below(60));
    return [random.below(256), random.below(256), 0, 0, 0, pdu.length + 1, 1, ...pdu];
  }).flat();
  const follower = followMbap();
  for (let from = 0; from < bytes.length; ) {
    const to = from + 1 + random.below(12);
    assert.equal(follower.follow(Uint8Array.from(bytes.slice(from, to))), undefined);
    from = to;
  }
  return true;
}

/** Through rollovers and bad reads the increases add up to what was counted. */
function counter(random: Generator): boolean {
  // Small enough to go around several times, large enough that the step between two readings is plain.
  const modulus = 200_000 + random.below(1_000_000);
  const spec = { ratePerSMax: 1000, modulus };
  let truth = random.below(modulus);
  const start = truth;
  let chain = EMPTY_CHAIN;
  let sum = 0;
  for (let minute = 0; minute < 30; minute += 1) {
    if (minute > 0) truth += random.below(60_000);
    const { chain: next, step } = followCounter(chain, { value: truth % modulus, at: minute * 60_000 }, spec);
    assert.ok((step?.increase ?? 0) >= 0);
    sum += step?.increase ?? 0;
    chain = next;
  }
  assert.equal(sum, truth - start);
  return true;
}

const EVENTS: readonly ((at: number) => AlarmEvent)[] = [
  () => ({ type: 'input', input: 'true' }),
  () => ({ type: 'input', input: 'false' }),
  () => ({ type: 'input', input: 'unknown' }),
  () => ({ type: 'acknowledge', by: 'Zarina' }),
  () => ({ type: 'reset', by: 'Zarina' }),
  (at) => ({ type: 'shelve', by: 'Zarina', until: at + HOUR_MS, reason: 'sensor is being replaced' }),
  () => ({ type: 'unshelve', by: 'Zarina' }),
  () => ({ type: 'suppress', rule: 'post-silent' }),
  () => ({ type: 'unsuppress' }),
  () => ({ type: 'removeFromService', by: 'Farrukh', reason: 'pump is out of the well' }),
  () => ({ type: 'returnToService', by: 'Farrukh' }),
  () => ({ type: 'tick' }),
];

/** Transitions join, an unknown input moves nothing by itself, and only what waits for a person is announced. */
function alarm(random: Generator): boolean {
  const delay = (): number => random.pick([0, 1000, HOUR_MS]);
  const options = { latching: random.below(2) === 0, onDelayMs: delay(), offDelayMs: delay(), settleMs: delay() };
  let at = 1_700_000_000_000;
  let current = initialAlarm();
  for (let step = 0; step < 40; step += 1) {
    at += random.below(2 * HOUR_MS);
    const { alarm: next, transitions } = stepAlarm(current, random.pick(EVENTS)(at), at, options);
    let { state } = current;
    for (const transition of transitions) {
      assert.equal(transition.from, state);
      assert.ok(transition.at <= at);
      if (transition.announce) assert.equal(transition.to, 'unacknowledged');
      state = transition.to;
    }
    assert.equal(next.state, state);
    if (state !== 'shelved' && state !== 'suppressed' && state !== 'outOfService')
      assert.equal(next.delayed.condition === 'true', state === 'unacknowledged' || state === 'acknowledged');
    current = next;
  }
  return true;
}

export const PROPERTIES: readonly Property[] = [
  { name: 'payloads: noise', weight: 0.5, run: (random) => opens(random.bytes(random.below(64))) },
  { name: 'payloads: damaged when deflated', weight: 0.25, run: (random) => opens(damage(random, deflated)) },
  {
    name: 'payloads: damaged, then deflated',
    weight: 0.25,
    run: (random) => opens(deflateRawSync(damage(random, packed), { level: 1 })),
  },
  { name: 'payloads: any samples there and back', weight: 0.05, run: roundTrip },
  { name: 'RTU: noise taken for an answer', weight: 1, run: rtuNoise, chance: 65_536 },
  { name: 'RTU: the answer behind noise', weight: 0.2, run: rtuBehindNoise },
  { name: 'MBAP: noise', weight: 1, run: mbapNoise },
  { name: 'MBAP: good frames in pieces', weight: 0.2, run: mbapInPieces },
  { name: 'counters through rollovers', weight: 0.1, run: counter },
  { name: 'lives of an alarm', weight: 0.05, run: alarm },
];
