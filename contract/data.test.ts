import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { deflateRawSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { hasValue, REASONS, type Reason } from '#domain/quality.js';
import {
  DATA_BYTES_MAX,
  DATA_INFLATED_BYTES_MAX,
  type DataPayload,
  type DataSample,
  decodeData,
  encodeData,
  packData,
  unpackData,
} from './data.js';
import { DICTIONARY } from './dictionary.js';

const EPOCH = '00f1e2d3c4b5a697';

const value = fc.oneof(
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.float({ noNaN: true, noDefaultInfinity: true }),
  fc.integer(),
  fc.maxSafeInteger(),
  fc.integer({ min: -1e6, max: 1e6 }).map((tenths) => tenths / 10),
  fc.constantFrom(0, -0, 5e-324, -5e-324, Number.MAX_VALUE, Number.MAX_SAFE_INTEGER, 1e21, 0.1 + 0.2),
  fc.string({ unit: 'binary', maxLength: 40 }),
);
const reading = fc
  .tuple(fc.constantFrom(...(Object.keys(REASONS) as Reason[])), value)
  .map(([reason, some]) => ({ code: REASONS[reason].code, value: hasValue(reason) ? some : null }));
const sample: fc.Arbitrary<DataSample> = fc
  .record({
    record: fc.oneof(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER })),
    index: fc.oneof(fc.integer({ min: 0, max: 5 }), fc.integer({ min: 0, max: 65535 })),
    at: fc.oneof(fc.integer({ min: 0, max: 20 }), fc.integer({ min: 0, max: 8.64e15 })),
  })
  .chain((place) => reading.map((rest) => ({ ...place, ...rest })));

const nameOf = ({ record, at, index, code, value: some }: DataSample) =>
  `${record} ${at} ${index} ${code} ${typeof some} ${Object.is(some, -0) ? '-0' : String(some)}`;
const sorted = (samples: readonly DataSample[]) => [...samples].sort((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1));

describe('any samples', () => {
  test('come out bit for bit, in whatever order they went in', () => {
    fc.assert(
      fc.property(fc.array(sample, { minLength: 1, maxLength: 60 }), fc.boolean(), (samples, historical) => {
        const decoded = decodeData(encodeData({ birth: 3, epoch: EPOCH, historical, samples }));
        if (!decoded.ok) throw new Error(decoded.fault.message);
        const records = samples.map(({ record }) => record);
        expect(decoded.value).toMatchObject({
          birth: 3,
          epoch: EPOCH,
          historical,
          first: Math.min(...records),
          last: Math.max(...records),
        });
        expect(sorted(decoded.value.samples)).toEqual(sorted(samples));
      }),
      { numRuns: 500 },
    );
  });

  test('cost a few bytes each where a post is as it mostly is', () => {
    const samples = Array.from({ length: 6 * 60 }, (_, i): DataSample => {
      const poll = Math.floor(i / 60);
      const watts = Math.round(Math.sin(i % 60) * 5000 + Math.sin(i * 7) * 20) / 10;
      return { record: poll + 1, index: i % 60, at: 1768478400000 + poll * 10_000, value: watts, code: 0 };
    });
    const bytes = encodeData({ birth: 1, epoch: EPOCH, historical: false, samples }).length;
    expect(bytes / samples.length).toBeLessThan(3);
  });
});

describe('golden samples', () => {
  const golden = (name: string) =>
    JSON.parse(readFileSync(join(import.meta.dirname, 'samples', `${name}.json`), 'utf8')) as {
      packed: string;
      payload: DataPayload;
    };

  test.each(['data-live-minute', 'data-history-gaps', 'data-empty'])('%s reads and writes as it always did', (name) => {
    const { packed, payload } = golden(name);
    const opened = unpackData(Buffer.from(packed, 'hex'));
    if (!opened.ok) throw new Error(opened.fault.message);
    expect({ ...opened.value, samples: sorted(opened.value.samples) }).toEqual({
      ...payload,
      samples: sorted(payload.samples),
    });
    expect(packData(payload).toString('hex')).toBe(packed);
  });
});

test('the dictionary that payloads point into stays as it is', () => {
  expect(createHash('sha256').update(DICTIONARY).digest('hex')).toBe(
    '74cbef9671909c895adb52a229addfda28d59c232baafda45b288c588aa4d361',
  );
});

describe('hostile bytes', () => {
  const good = packData({
    birth: 1,
    epoch: EPOCH,
    historical: false,
    samples: [1, 2, 3].flatMap((record): DataSample[] => [
      { record, index: 0, at: record, value: record / 10, code: 0 },
      { record, index: 1, at: record, value: 'on', code: 0 },
      { record, index: 2, at: record, value: record / 3, code: 0 },
    ]),
  });

  test('never throw: noise, before and behind the inflating', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        expect(decodeData(bytes).ok).toBe(false);
        decodeData(deflateRawSync(bytes));
      }),
      { numRuns: 1000 },
    );
  });

  test('never throw: good payloads with some bytes changed, cut or doubled', () => {
    const edit = fc.record({
      place: fc.nat(good.length - 1),
      byte: fc.nat(255),
      kind: fc.constantFrom('set', 'cut', 'double'),
    });
    fc.assert(
      fc.property(fc.array(edit, { minLength: 1, maxLength: 4 }), (edits) => {
        let bytes: Buffer = Buffer.from(good);
        for (const { place, byte, kind } of edits) {
          if (kind === 'set') bytes[place % bytes.length] = byte;
          else if (kind === 'cut') bytes = Buffer.concat([bytes.subarray(0, place), bytes.subarray(place + 1)]);
          else bytes = Buffer.concat([bytes.subarray(0, place), bytes]);
          if (bytes.length === 0) return;
        }
        const opened = unpackData(bytes);
        if (!opened.ok) return;
        for (const { value: some, code, at, record } of opened.value.samples) {
          expect(some === null).toBe(code >= 32);
          expect(Number.isSafeInteger(at) && Number.isSafeInteger(record)).toBe(true);
          expect(typeof some !== 'number' || Number.isFinite(some)).toBe(true);
        }
      }),
      { numRuns: 3000 },
    );
  });

  const bytesOf = (hex: string) => `59${(hex.length / 2).toString(16).padStart(4, '0')}${hex}`;
  const shell = (parts: { rows?: string; columns?: string }) =>
    Buffer.from(`86010148${EPOCH}00${bytesOf(parts.rows ?? '020202')}${parts.columns ?? '40'}`, 'hex');

  test('the shell of the cases below is sound', () => {
    expect(unpackData(shell({}))).toMatchObject({ ok: true, value: { samples: [] } });
    // All rows, one column of index 0, no decimals: the value 1.
    expect(unpackData(shell({ columns: bytesOf('030002') }))).toMatchObject({
      ok: true,
      value: { samples: [{ value: 1 }] },
    });
  });

  test.each([
    ['an array that announces 100 million', '9a05f5e100'],
    ['a map that announces 100 million', 'ba05f5e100'],
    ['bytes that announce 4 GB', '5affffffff'],
    ['a thousand arrays in each other', '81'.repeat(1000)],
    ['a hundred thousand arrays in each other', '81'.repeat(100_000)],
    ['columns that are a map', 'a0'],
    ['tags that cbor-x takes for classes', 'd90106820180'],
    ['a record definition', 'd9df518201416100'],
    ['a shared reference to itself', 'd81c81d81d00'],
    ['a group that lists 2^52 rows', bytesOf('058080808080808008')],
    ['a group that announces 2^52 columns', bytesOf('8080808080808008')],
    ['a row that is not there', bytesOf('0501010002')],
    ['a row behind the last one', bytesOf('040002040002')],
    ['an index beyond 65535', bytesOf('03808040' + '02')],
    ['an unknown encoding', bytesOf('030f02')],
    ['codes in codes', bytesOf('030e0e0002')],
    ['an unknown code', bytesOf('030e0063')],
    ['a value that no number holds', bytesOf('0300ffffffffffffffff7f')],
    ['a number that does not end', bytesOf('0300ffffff')],
    ['a NaN', bytesOf('030b0000c07f')],
    ['an infinity', bytesOf('030c000000000000f07f')],
    ['half a float', bytesOf('030b0000c0')],
    ['a word longer than any', bytesOf(`030d01d10f${'61'.repeat(2001)}`)],
    ['a word that is not in its dictionary', bytesOf('030d0201610162' + '02')],
    ['a dictionary of 2^52 words', bytesOf('030d8080808080808008')],
    ['something behind the last column', bytesOf('03000204')],
  ])('cost nothing: %s', (_what, columns) => {
    const bytes = shell({ columns });
    const before = process.memoryUsage().arrayBuffers + process.memoryUsage().heapUsed;
    const startedAt = performance.now();
    expect(unpackData(bytes).ok).toBe(false);
    expect(performance.now() - startedAt).toBeLessThan(500);
    expect(process.memoryUsage().arrayBuffers + process.memoryUsage().heapUsed - before).toBeLessThan(32e6);
    // What came before must not colour what comes next.
    expect(unpackData(good).ok).toBe(true);
  });

  test.each([
    ['half a row', '0202'],
    ['a record below zero', '020102'],
    ['a time before 1970', '020201'],
    ['half a millisecond', '02020206'],
    ['a number that does not end', '02ff'],
    ['more rows than samples may be', '00'.repeat(100_001)],
  ])('no rows: %s', (_what, rows) => {
    const length = (rows.length / 2).toString(16).padStart(8, '0');
    expect(unpackData(Buffer.from(`86010148${EPOCH}005a${length}${rows}40`, 'hex')).ok).toBe(false);
  });

  test('few bytes that stand for many samples are taken up to the limit and not beyond', () => {
    // One row after the other, and columns of one word, which costs nothing per row.
    const rows = Array.from({ length: 1000 }, (_, row) => row + 1);
    const columnsOf = (count: number): DataSample[] =>
      rows.flatMap((record) =>
        Array.from({ length: count }, (_, index) => ({ record, index, at: 1, value: 'a', code: 0 })),
      );
    const payload = { birth: 1, epoch: EPOCH, historical: true };
    expect(unpackData(packData({ ...payload, samples: columnsOf(100) })).ok).toBe(true);
    expect(unpackData(packData({ ...payload, samples: columnsOf(101) })).ok).toBe(false);
  });

  test('are not inflated beyond the limit, nor taken beyond it', () => {
    const bomb = deflateRawSync(Buffer.alloc(DATA_INFLATED_BYTES_MAX + 1));
    expect(bomb.length).toBeLessThan(DATA_BYTES_MAX);
    expect(decodeData(bomb)).toMatchObject({ ok: false, fault: { code: 'DATA_TOO_LARGE' } });
    expect(decodeData(Buffer.alloc(DATA_BYTES_MAX + 1))).toMatchObject({
      ok: false,
      fault: { code: 'DATA_TOO_LARGE' },
    });
  });

  test('say what is wrong with them', () => {
    const codeOf = (bytes: Uint8Array) => {
      const decoded = decodeData(bytes);
      return decoded.ok ? 'ok' : decoded.fault.code;
    };
    const next = Buffer.from(good);
    next[1] = 2;
    expect([codeOf(Buffer.from('hello')), codeOf(deflateRawSync(Buffer.from('ff', 'hex')))]).toEqual([
      'DATA_NOT_DEFLATE',
      'DATA_NOT_CBOR',
    ]);
    expect([codeOf(deflateRawSync(Buffer.from('80', 'hex'))), codeOf(deflateRawSync(next))]).toEqual([
      'DATA_FORM',
      'DATA_VERSION',
    ]);
  });
});
