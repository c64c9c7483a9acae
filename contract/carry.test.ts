import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  CARRY_FRAME_BYTES_MAX,
  type CarryFrame,
  type CarryHeader,
  createCarryReader,
  createCarryWriter,
  readCarry,
} from './carry.js';
import { decodeData, encodeData } from './data.js';
import { type Birth, encodeJson } from './session.js';

const folder = join(import.meta.dirname, 'samples');
const { birth: goldenBirth } = JSON.parse(readFileSync(join(folder, 'session.json'), 'utf8')) as { birth: Birth };
const golden = JSON.parse(readFileSync(join(folder, 'carry.json'), 'utf8'));

/** A key of known bytes: PKCS 8 is this prefix and the 32 bytes. */
function keyOf(seedHex: string): KeyObject {
  const der = Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), Buffer.from(seedHex, 'hex')]);
  return createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
}
const publicKeyOf = (key: KeyObject) => createPublicKey(key).export({ format: 'der', type: 'spki' }).toString('base64');

const KEY = keyOf('11'.repeat(32));
const FOREIGN_KEY = keyOf('22'.repeat(32));
const PUBLIC_KEY = publicKeyOf(KEY);
const EPOCH = '00f1e2d3c4b5a697';
const AT = 1_768_478_401_000;

const header: CarryHeader = {
  fleet: 'pamir',
  post: 'kyzyl-art',
  publicKey: PUBLIC_KEY,
  createdAt: AT + 60_000,
  software: '0.2.0',
  receipted: false,
};
const birth: Birth = { ...goldenBirth, gateway: { ...goldenBirth.gateway, publicKey: PUBLIC_KEY } };
const payloadOf = (record: number) =>
  encodeData({
    birth: birth.birth,
    epoch: EPOCH,
    historical: true,
    samples: [{ record, index: 0, at: AT + record, value: record / 10, code: 0 }],
  });
const countsOf = (record: number) => ({ records: 1, samples: 1, from: AT + record, to: AT + record });

function write(options: { readonly header?: CarryHeader; readonly key?: KeyObject; readonly records?: number } = {}) {
  const chunks: Uint8Array[] = [];
  const writer = createCarryWriter(options.header ?? header, options.key ?? KEY, (bytes) => chunks.push(bytes));
  writer.addBirth(encodeJson(birth));
  for (let record = 1; record <= (options.records ?? 3); record += 1)
    writer.addData(payloadOf(record), countsOf(record));
  const totals = writer.finish();
  return { file: Buffer.concat(chunks), totals };
}

function readAll(file: Uint8Array, cut = 7) {
  const reader = createCarryReader();
  const frames: CarryFrame[] = [];
  for (let at = 0; at < file.length; at += cut) {
    const read = reader.push(file.subarray(at, at + cut));
    if (!read.ok) return { end: read, frames };
    frames.push(...read.value);
  }
  return { end: reader.end(), frames };
}

const codeOf = (file: Uint8Array) => {
  const { end } = readAll(file, 64 * 1024);
  return end.ok ? 'none' : end.fault.code;
};

/** A file of any frames, well signed. */
function signedFile(frames: readonly (readonly [type: string, body: Uint8Array | string])[]): Buffer {
  const whole = write({ records: 0 }).file;
  const start = whole.subarray(0, 14);
  const bodies = frames.map(([type, body]) => {
    const bytes = Buffer.from(body as string);
    const head = Buffer.alloc(5);
    head.write(type, 0, 'latin1');
    head.writeUInt32BE(bytes.length, 1);
    return Buffer.concat([head, bytes]);
  });
  return Buffer.concat([start, ...bodies]);
}

describe('a file to carry', () => {
  test('comes out as it went in, whatever pieces it is read in', () => {
    const { file, totals } = write();
    fc.assert(
      fc.property(fc.integer({ min: 1, max: file.length }), (cut) => {
        const { end, frames } = readAll(file, cut);
        expect(end).toMatchObject({ ok: true, value: { header, totals, bytes: file.length } });
        expect(frames.map(({ type }) => type)).toEqual(['header', 'birth', 'data', 'data', 'data', 'totals']);
        expect(frames[1]).toMatchObject({ birth });
        const data = frames.flatMap((frame) => (frame.type === 'data' ? [frame.bytes] : []));
        expect(data.map((bytes) => decodeData(bytes))).toMatchObject([
          { ok: true, value: { first: 1, samples: [{ value: 0.1 }] } },
          { ok: true, value: { first: 2 } },
          { ok: true, value: { first: 3 } },
        ]);
      }),
    );
  });

  test('tells at its end what it holds', () => {
    expect(write().totals).toEqual({ births: 1, payloads: 3, records: 3, samples: 3, from: AT + 1, to: AT + 3 });
    expect(write({ records: 0 }).totals).toMatchObject({ payloads: 0, from: null, to: null });
  });

  test('is cut nowhere without being refused', () => {
    const { file } = write();
    for (let length = 0; length < file.length; length += 1)
      expect(codeOf(file.subarray(0, length))).toBe('CARRY_CUT_SHORT');
  });

  test('is refused for any one bit that is changed', { timeout: 60_000 }, () => {
    const { file } = write({ records: 1 });
    const seen = new Set<string>();
    for (let at = 0; at < file.length; at += 1) {
      // Every bit where each means something of its own, one of each byte in between.
      const isDense = at < 64 || at > file.length - 100;
      for (const bit of isDense ? [0, 1, 2, 3, 4, 5, 6, 7] : [at % 8]) {
        const changed = Buffer.from(file);
        changed[at] = (changed[at] as number) ^ (1 << bit);
        seen.add(codeOf(changed));
      }
    }
    expect([...seen].sort()).toEqual([
      'CARRY_CUT_SHORT',
      'CARRY_FORM',
      'CARRY_NOT_OURS',
      'CARRY_SIGNATURE',
      'CARRY_VERSION',
    ]);
  });

  test('is refused for pieces that are moved, doubled or left out', () => {
    const { file } = write();
    const place = fc.integer({ min: 0, max: file.length });
    fc.assert(
      fc.property(place, place, place, (a, b, c) => {
        const [from = 0, to = 0, into = 0] = [a, b, c].sort((x, y) => x - y);
        const doubled = Buffer.concat([file.subarray(0, to), file.subarray(from)]);
        const swapped = Buffer.concat([
          file.subarray(0, from),
          file.subarray(to, into),
          file.subarray(from, to),
          file.subarray(into),
        ]);
        for (const changed of [doubled, swapped]) expect(codeOf(changed) === 'none').toBe(changed.equals(file));
      }),
    );
  });

  test('no bytes whatever make the reader throw, and a fault stays', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 60 })), fc.boolean(), (pieces, begun) => {
        const reader = createCarryReader();
        if (begun) reader.push(write().file.subarray(0, 14));
        for (const piece of pieces) void reader.push(piece);
        const end = reader.end();
        expect(end.ok).toBe(false);
        expect(reader.end()).toEqual(end);
      }),
    );
  });
});

describe('the reader refuses', () => {
  const head = JSON.stringify(header);

  test.each([
    ['a file of another kind', Buffer.from('PK\x03\x04 some archive'), 'CARRY_NOT_OURS'],
    ['a file of a newer version', Buffer.from('oftob-carry 2\nwhatever'), 'CARRY_VERSION'],
    ['nothing at all', Buffer.alloc(0), 'CARRY_CUT_SHORT'],
    [
      'data before a birth',
      signedFile([
        ['H', head],
        ['D', payloadOf(1)],
      ]),
      'CARRY_FORM',
    ],
    ['a birth before the header', signedFile([['B', encodeJson(birth)]]), 'CARRY_FORM'],
    [
      'two headers',
      signedFile([
        ['H', head],
        ['H', head],
      ]),
      'CARRY_FORM',
    ],
    ['a frame without a body', signedFile([['H', '']]), 'CARRY_FORM'],
    [
      'a frame of an unknown type',
      signedFile([
        ['H', head],
        ['X', 'x'],
      ]),
      'CARRY_FORM',
    ],
    ['a header without a key', signedFile([['H', JSON.stringify({ ...header, publicKey: 'AAAA' })]]), 'CARRY_FORM'],
    [
      'a signature before the totals',
      signedFile([
        ['H', head],
        ['S', Buffer.alloc(64)],
      ]),
      'CARRY_FORM',
    ],
    [
      'a frame that is too large',
      signedFile([
        ['H', head],
        ['D', Buffer.alloc(CARRY_FRAME_BYTES_MAX + 1)],
      ]),
      'CARRY_FORM',
    ],
    [
      'a birth of another gateway',
      signedFile([
        ['H', head],
        ['B', encodeJson(goldenBirth)],
      ]),
      'CARRY_FORM',
    ],
  ])('%s', (_what, file, code) => {
    expect(codeOf(file)).toBe(code);
  });

  test('a file that another key signed', () => {
    expect(codeOf(write({ key: FOREIGN_KEY }).file)).toBe('CARRY_SIGNATURE');
  });

  test('bytes behind the end', () => {
    expect(codeOf(Buffer.concat([write().file, Buffer.from([0])]))).toBe('CARRY_FORM');
  });

  test('a frame too large before it has come: no memory is taken for it', () => {
    const reader = createCarryReader();
    const claim = Buffer.from([0x44, 0xff, 0xff, 0xff, 0xff]);
    expect(reader.push(Buffer.concat([write().file.subarray(0, 14), claim]))).toMatchObject({
      ok: false,
      fault: { code: 'CARRY_FORM' },
    });
  });
});

test('a writer takes no frame that a reader would refuse', () => {
  const writer = createCarryWriter(header, KEY, () => undefined);
  expect(() => writer.addData(Buffer.alloc(CARRY_FRAME_BYTES_MAX + 1), countsOf(1))).toThrow('a frame of');
});

test('a file is read from a stream, each frame waited for', async () => {
  const { file, totals } = write();
  const taken: string[] = [];
  const chunks = [file.subarray(0, 100), file.subarray(100)];
  const read = await readCarry(chunks, async ({ type }) => {
    await Promise.resolve();
    taken.push(type);
  });
  expect(read).toMatchObject({ ok: true, value: { totals } });
  expect(taken).toHaveLength(6);
  expect(await readCarry([file.subarray(0, 200)])).toMatchObject({ ok: false, fault: { code: 'CARRY_CUT_SHORT' } });
});

describe('the golden file', () => {
  const file = Buffer.from(golden.file, 'base64');
  const payloads: Buffer[] = golden.payloads.map((text: string) => Buffer.from(text, 'base64'));

  test('is read as it stands', () => {
    const { end, frames } = readAll(file);
    expect(end).toEqual({
      ok: true,
      value: { header: golden.header, totals: golden.totals, bytes: file.length, sha256: golden.sha256 },
    });
    expect(frames.flatMap((frame) => (frame.type === 'data' ? [Buffer.from(frame.bytes)] : []))).toEqual(payloads);
  });

  test('is written the same again', () => {
    const chunks: Uint8Array[] = [];
    const writer = createCarryWriter(golden.header, keyOf(golden.seed), (bytes) => chunks.push(bytes));
    writer.addBirth(Buffer.from(JSON.stringify(golden.birth)));
    payloads.forEach((bytes, i) => {
      writer.addData(bytes, golden.counts[i]);
    });
    writer.finish();
    expect(Buffer.concat(chunks).toString('base64')).toBe(golden.file);
  });
});
