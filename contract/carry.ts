// The file in which a backlog is carried by hand: header, births and data payloads as on the wire, totals, and the gateway's signature.
import { createHash, createPublicKey, type Hash, type KeyObject, sign, verify } from 'node:crypto';
import { type Static, Type } from 'typebox';
import { IDENTIFIER_PATTERN } from '#domain/identifier.js';
import { failed, ok, type Result } from '#domain/result.js';
import { DATA_BYTES_MAX } from './data.js';
import { type Door, doorOf, type Fault, parseJson } from './door.js';
import { type Birth, parseBirth } from './session.js';

/** Stands in the first line, so that a file of a newer version is told from one that is damaged. */
export const CARRY_VERSION = 1;
/** How the file is called when it travels over HTTP. */
export const CARRY_MEDIA_TYPE = 'application/vnd.oftob.carry';
/** Largest body of one frame: a birth and a data payload are bounded by what a broker lets through. */
export const CARRY_FRAME_BYTES_MAX = DATA_BYTES_MAX;
/** Most frames in a file. The largest outbox makes far fewer. */
export const CARRY_FRAMES_MAX = 1_000_000;

const NAME = 'oftob-carry ';
const MAGIC = Buffer.from(`${NAME}${CARRY_VERSION}\n`);
/** Signed together with the hash, so that a signature of this key for anything else is none for a file. */
const SIGNED_FOR = Buffer.from('oftob carry 1\n');
/** A frame begins with its type and the length of its body, 32 bits, big-endian. */
const HEAD_BYTES = 5;
const SIGNATURE_BYTES = 64;
const TYPES = { header: 0x48, birth: 0x42, data: 0x44, totals: 0x45, signature: 0x53 } as const;

const timeMs = Type.Number({ minimum: 0, maximum: 8.64e15 });
const count = Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER });
const identifier = Type.String({ pattern: IDENTIFIER_PATTERN });

/** Whose data it is. */
export const CarryHeaderSchema = Type.Object({
  fleet: identifier,
  post: identifier,
  /** Of the gateway that signs: Ed25519, SPKI, base64. The births in the file carry the same. */
  publicKey: Type.String({ maxLength: 120 }),
  /** When it was written, by the post's clock. */
  createdAt: timeMs,
  /** Of the software that wrote it. */
  software: Type.String({ maxLength: 40 }),
  /** Only records since then were asked for. */
  since: Type.Optional(timeMs),
  /** With what the server has confirmed already and the post still keeps. */
  receipted: Type.Boolean(),
});
export type CarryHeader = Static<typeof CarryHeaderSchema>;

/** What the file holds. It stands at the end, since a file is written in one go. */
export const CarryTotalsSchema = Type.Object({
  births: count,
  payloads: count,
  records: count,
  samples: count,
  /** Source times of the oldest and the newest sample; null where there is none. */
  from: Type.Union([timeMs, Type.Null()]),
  to: Type.Union([timeMs, Type.Null()]),
});
export type CarryTotals = Static<typeof CarryTotalsSchema>;

export const carryHeaderDoor: Door<CarryHeader> = doorOf(CarryHeaderSchema);
export const carryTotalsDoor: Door<CarryTotals> = doorOf(CarryTotalsSchema);

/**
 * `CARRY_NOT_OURS`: another kind of file. `CARRY_VERSION`: written by another version. `CARRY_CUT_SHORT`: the end is missing.
 * `CARRY_FORM`: not built as described here, or too large. `CARRY_SIGNATURE`: a byte was changed, or another key signed.
 */
export interface CarryFault {
  readonly code: 'CARRY_NOT_OURS' | 'CARRY_VERSION' | 'CARRY_CUT_SHORT' | 'CARRY_FORM' | 'CARRY_SIGNATURE';
  /** What is wrong and what to do. */
  readonly message: string;
}

// --- writing ---

/** What a data payload holds, for the totals. */
export interface CarriedCounts {
  readonly records: number;
  readonly samples: number;
  /** Source times of its oldest and newest sample. */
  readonly from: number;
  readonly to: number;
}

export interface CarryWriter {
  /** @param bytes JSON as on the wire. Comes before the data under it. */
  addBirth(bytes: Uint8Array): void;
  /** @param bytes a payload of `encodeData` */
  addData(bytes: Uint8Array, counts: CarriedCounts): void;
  /** Writes totals and signature. Nothing may be added after. */
  finish(): CarryTotals;
}

/**
 * Writes a file piece by piece. Throws for a body that is larger than a frame may be, and what `append` throws.
 * @param append takes the bytes, in order
 * @param privateKey the gateway's Ed25519 key; the header holds its public half
 */
export function createCarryWriter(
  header: CarryHeader,
  privateKey: KeyObject,
  append: (bytes: Uint8Array) => void,
): CarryWriter {
  const hash = createHash('sha256');
  const totals = { births: 0, payloads: 0, records: 0, samples: 0 };
  let from: number | null = null;
  let to: number | null = null;
  const put = (bytes: Uint8Array) => {
    hash.update(bytes);
    append(bytes);
  };
  const putFrame = (type: number, body: Uint8Array) => {
    put(frameHead(type, body.length));
    put(body);
  };
  put(MAGIC);
  putFrame(TYPES.header, Buffer.from(JSON.stringify(header)));
  return {
    addBirth(bytes) {
      putFrame(TYPES.birth, bytes);
      totals.births += 1;
    },
    addData(bytes, counts) {
      putFrame(TYPES.data, bytes);
      totals.payloads += 1;
      totals.records += counts.records;
      totals.samples += counts.samples;
      from = Math.min(from ?? counts.from, counts.from);
      to = Math.max(to ?? counts.to, counts.to);
    },
    finish() {
      const all: CarryTotals = { ...totals, from, to };
      putFrame(TYPES.totals, Buffer.from(JSON.stringify(all)));
      append(frameHead(TYPES.signature, SIGNATURE_BYTES));
      append(sign(null, signedMessage(hash), privateKey));
      return all;
    },
  };
}

function frameHead(type: number, length: number): Buffer {
  if (length > CARRY_FRAME_BYTES_MAX) throw new Error(`a frame of ${length} bytes`);
  const head = Buffer.alloc(HEAD_BYTES);
  head.writeUInt8(type, 0);
  head.writeUInt32BE(length, 1);
  return head;
}

function signedMessage(hash: Hash): Buffer {
  return Buffer.concat([SIGNED_FOR, hash.copy().digest()]);
}

// --- reading ---

export type CarryFrame =
  | { readonly type: 'header'; readonly header: CarryHeader }
  | { readonly type: 'birth'; readonly birth: Birth; readonly bytes: Uint8Array }
  /** Not decoded: `decodeData` is for who stores it. */
  | { readonly type: 'data'; readonly bytes: Uint8Array }
  | { readonly type: 'totals'; readonly totals: CarryTotals };

/** A whole file whose signature fits the key in its header. Whether that key may speak for the post is another question. */
export interface CarrySummary {
  readonly header: CarryHeader;
  readonly totals: CarryTotals;
  readonly bytes: number;
  /** Of the whole file, hexadecimal. */
  readonly sha256: string;
}

export interface CarryReader {
  /** Gives the frames that became whole. They are not to be believed before {@link CarryReader.end} said so. A fault is final. */
  push(chunk: Uint8Array): Result<readonly CarryFrame[], CarryFault>;
  /** There are no more bytes. */
  end(): Result<CarrySummary, CarryFault>;
}

/** Reads a file piece by piece, in whatever pieces it comes. Holds one frame at a time, and never throws for any bytes. */
export function createCarryReader(): CarryReader {
  return new FrameReader();
}

/**
 * Reads a whole file. To store nothing of a file that is not whole, read it twice: without `take`, then with it.
 * Throws what `chunks` and `take` throw.
 */
export async function readCarry(
  chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  take?: (frame: CarryFrame) => void | Promise<void>,
): Promise<Result<CarrySummary, CarryFault>> {
  const reader = createCarryReader();
  for await (const chunk of chunks) {
    const frames = reader.push(chunk);
    if (!frames.ok) return frames;
    if (take !== undefined) for (const frame of frames.value) await take(frame);
  }
  return reader.end();
}

/** Thrown within the reader and caught at its door. */
class CarryError extends Error {
  constructor(readonly fault: CarryFault) {
    super(fault.message);
  }
}

function refuse(code: CarryFault['code'], message: string): never {
  throw new CarryError({ code, message });
}

function refuseForm(what: string): never {
  return refuse('CARRY_FORM', `${what}; copy the file again, or write it again on the post`);
}

class FrameReader implements CarryReader {
  readonly #hash = createHash('sha256');
  /** What is being filled: the first line, the head of a frame, or its body. */
  #part: 'magic' | 'head' | 'body' = 'magic';
  #bytes: Buffer = Buffer.alloc(MAGIC.length);
  #filled = 0;
  #type = 0;
  #total = 0;
  #frames = 0;
  #births = 0;
  #payloads = 0;
  #header: CarryHeader | undefined;
  #key: KeyObject | undefined;
  #totals: CarryTotals | undefined;
  #signatureHead: Buffer | undefined;
  #sha256: string | undefined;
  #fault: CarryFault | undefined;

  push(chunk: Uint8Array): Result<readonly CarryFrame[], CarryFault> {
    return this.#guard(() => {
      const frames: CarryFrame[] = [];
      this.#total += chunk.length;
      let read = 0;
      while (read < chunk.length) {
        if (this.#sha256 !== undefined) refuseForm('there are bytes behind the end');
        const taken = Math.min(chunk.length - read, this.#bytes.length - this.#filled);
        this.#bytes.set(chunk.subarray(read, read + taken), this.#filled);
        this.#filled += taken;
        read += taken;
        if (this.#filled === this.#bytes.length) this.#finishPart(frames);
      }
      return frames;
    });
  }

  end(): Result<CarrySummary, CarryFault> {
    return this.#guard(() => {
      if (this.#part === 'magic') checkName(this.#bytes.subarray(0, this.#filled));
      if (this.#header === undefined || this.#totals === undefined || this.#sha256 === undefined)
        return refuse('CARRY_CUT_SHORT', 'the end of the file is missing; copy it again from where it was written');
      return { header: this.#header, totals: this.#totals, bytes: this.#total, sha256: this.#sha256 };
    });
  }

  #guard<T>(task: () => T): Result<T, CarryFault> {
    if (this.#fault !== undefined) return failed(this.#fault);
    try {
      return ok(task());
    } catch (error) {
      if (!(error instanceof CarryError)) throw error;
      this.#fault = error.fault;
      return failed(error.fault);
    }
  }

  #expect(part: 'head' | 'body', length: number): void {
    this.#part = part;
    this.#bytes = Buffer.alloc(length);
    this.#filled = 0;
  }

  #finishPart(frames: CarryFrame[]): void {
    if (this.#part === 'magic') {
      checkName(this.#bytes);
      this.#hash.update(this.#bytes);
      this.#expect('head', HEAD_BYTES);
    } else if (this.#part === 'head') {
      this.#finishHead();
    } else if (this.#type === TYPES.signature) {
      this.#finishFile();
    } else {
      this.#hash.update(this.#bytes);
      frames.push(this.#frameOf(this.#bytes));
      this.#expect('head', HEAD_BYTES);
    }
  }

  #finishHead(): void {
    const head = this.#bytes;
    const length = head.readUInt32BE(1);
    this.#type = head.readUInt8(0);
    this.#frames += 1;
    if (this.#frames > CARRY_FRAMES_MAX) refuseForm('there are too many frames');
    if (length === 0 || length > CARRY_FRAME_BYTES_MAX) refuseForm(`a frame of ${length} bytes`);
    const isSignature = this.#type === TYPES.signature;
    if (isSignature && (this.#totals === undefined || length !== SIGNATURE_BYTES))
      refuseForm('a signature that is none, or not at the end');
    if (!isSignature) this.#hash.update(head);
    this.#signatureHead = isSignature ? head : undefined;
    this.#expect('body', length);
  }

  #frameOf(body: Buffer): CarryFrame {
    if (this.#totals !== undefined) return refuseForm('a frame behind the totals');
    if (this.#type === TYPES.header) return { type: 'header', header: this.#takeHeader(body) };
    if (this.#header === undefined) return refuseForm('the header is not the first frame');
    if (this.#type === TYPES.birth) return this.#takeBirth(body, this.#header);
    if (this.#type === TYPES.totals) return { type: 'totals', totals: this.#takeTotals(body) };
    if (this.#type !== TYPES.data) return refuseForm(`a frame of an unknown type (${this.#type})`);
    if (this.#births === 0) return refuseForm('data stands before its birth');
    this.#payloads += 1;
    return { type: 'data', bytes: body };
  }

  #takeHeader(body: Buffer): CarryHeader {
    if (this.#header !== undefined) return refuseForm('there are two headers');
    const read = parseJson(carryHeaderDoor, body, CARRY_FRAME_BYTES_MAX);
    if (!read.ok) return refuseForm(`the header is faulty (${faultText(read.fault)})`);
    this.#key = keyOf(read.value.publicKey) ?? refuseForm('the header holds no Ed25519 key');
    this.#header = read.value;
    return read.value;
  }

  #takeBirth(body: Buffer, header: CarryHeader): CarryFrame {
    const read = parseBirth(body);
    if (!read.ok) return refuseForm(`a birth is faulty (${faultText(read.fault)})`);
    if (read.value.gateway.publicKey !== header.publicKey) return refuseForm('a birth is of another gateway');
    this.#births += 1;
    return { type: 'birth', birth: read.value, bytes: body };
  }

  #takeTotals(body: Buffer): CarryTotals {
    const read = parseJson(carryTotalsDoor, body, CARRY_FRAME_BYTES_MAX);
    if (!read.ok) return refuseForm(`the totals are faulty (${faultText(read.fault)})`);
    const { births, payloads } = read.value;
    if (births !== this.#births || payloads !== this.#payloads) return refuseForm('the totals do not fit');
    this.#totals = read.value;
    return read.value;
  }

  #finishFile(): void {
    const signature = this.#bytes;
    if (this.#key === undefined || !verify(null, signedMessage(this.#hash), this.#key, signature))
      refuse(
        'CARRY_SIGNATURE',
        'the file is not as its gateway signed it; copy it again, or write it again on the post',
      );
    this.#hash.update(this.#signatureHead ?? '');
    this.#sha256 = this.#hash.update(signature).digest('hex');
  }
}

/** What stands of the first line, whole or not. */
function checkName(start: Buffer): void {
  if (start.equals(MAGIC.subarray(0, start.length))) return;
  if (start.subarray(0, NAME.length).toString() !== NAME)
    refuse('CARRY_NOT_OURS', 'this is no file of `oftob outbox export`; look whether it is the right one');
  refuse('CARRY_VERSION', 'the file was written by another version; update the older side');
}

/** Only the one spelling of a key that we write ourselves, so that keys can be compared as text. */
function keyOf(publicKey: string): KeyObject | undefined {
  try {
    const key = createPublicKey({ key: Buffer.from(publicKey, 'base64'), format: 'der', type: 'spki' });
    const spelled = key.export({ format: 'der', type: 'spki' }).toString('base64');
    return key.asymmetricKeyType === 'ed25519' && spelled === publicKey ? key : undefined;
  } catch {
    return undefined;
  }
}

function faultText(faults: readonly Fault[]): string {
  return faults
    .slice(0, 3)
    .map(({ path, message }) => `${path} ${message}`)
    .join('; ');
}
