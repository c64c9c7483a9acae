// The small JSON messages between post and server: birth, state, receipt, attention, and the server's own presence.
import { deflateSync, inflateSync } from 'node:zlib';
import { type Static, Type } from 'typebox';
import { DEVICE_KINDS, METER_ROLES } from '#domain/device-kind.js';
import { IDENTIFIER_PATTERN } from '#domain/identifier.js';
import { UNITS } from '#domain/quantity.js';
import { failed, type Result } from '#domain/result.js';
import { type Door, doorOf, type Fault, parseJson } from './door.js';

const literals = <T extends string>(values: readonly T[]) => Type.Unsafe<T>(Type.Enum([...values]));
const identifier = Type.String({ pattern: IDENTIFIER_PATTERN });
const timeMs = Type.Number({ minimum: 0, maximum: 8.64e15 });
const count = Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER });

/** Largest session message on the wire. */
export const SESSION_BYTES_MAX = 256 * 1024;
/** Largest birth once inflated: 3,000 metrics have about 400 kB, and some 20 kB on the wire. */
export const BIRTH_JSON_BYTES_MAX = 4 * 1024 * 1024;

/** 16 hexadecimal characters, drawn at every start of a gateway. */
export const EPOCH_PATTERN = '^[0-9a-f]{16}$';
const epoch = Type.String({ pattern: EPOCH_PATTERN });

const clockQuality = literals(['synchronised', 'unsynchronised', 'unknown'] as const);

export const BirthDeviceSchema = Type.Object({
  id: identifier,
  kind: literals(DEVICE_KINDS),
  name: Type.Optional(Type.String({ maxLength: 80 })),
  role: Type.Optional(literals(METER_ROLES)),
  /** `maker/model`, and the SHA-256 of the profile as read, so that a changed profile is seen. Absent for the gateway itself. */
  profile: Type.Optional(Type.String({ maxLength: 80 })),
  profileHash: Type.Optional(Type.String({ maxLength: 64 })),
  model: Type.Optional(Type.String({ maxLength: 80 })),
  pollPeriodMs: Type.Integer({ minimum: 1 }),
  sleepsAtNight: Type.Optional(Type.Boolean()),
});
export type BirthDevice = Static<typeof BirthDeviceSchema>;

export const BirthMetricSchema = Type.Object({
  /** What data payloads under this birth call it. */
  index: Type.Integer({ minimum: 0, maximum: 65535 }),
  device: identifier,
  metric: Type.String({ maxLength: 64 }),
  kind: literals(['gauge', 'counter', 'state', 'text'] as const),
  unit: Type.Optional(literals(UNITS)),
  pollPeriodMs: Type.Integer({ minimum: 1 }),
  /** A gauge within this of its last sample makes none, until the heartbeat is due. */
  deadband: Type.Optional(Type.Number({ minimum: 0 })),
  heartbeatS: Type.Number({ minimum: 0 }),
  /** Crossing one of these sends at once. */
  watch: Type.Optional(Type.Object({ low: Type.Optional(Type.Number()), high: Type.Optional(Type.Number()) })),
  /** Counters: starts again from zero here. */
  modulus: Type.Optional(Type.Number({ exclusiveMinimum: 0 })),
  /** No longer read; kept until its records are gone. */
  retired: Type.Optional(Type.Boolean()),
});
export type BirthMetric = Static<typeof BirthMetricSchema>;

/** What a post has. Retained. */
export const BirthSchema = Type.Object({
  birth: Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER }),
  at: timeMs,
  clock: clockQuality,
  gateway: Type.Object({
    version: Type.String({ maxLength: 40 }),
    /** Ed25519 public key, base64 (SPKI). */
    publicKey: Type.String({ maxLength: 120 }),
    /** Epoch of this start of the gateway, and which start it is by the count in its outbox: rising, unless the outbox is an older copy. */
    epoch,
    start: count,
  }),
  batchPeriodMs: Type.Integer({ minimum: 100 }),
  devices: Type.Array(BirthDeviceSchema, { maxItems: 500 }),
  metrics: Type.Array(BirthMetricSchema, { maxItems: 20_000 }),
});
export type Birth = Static<typeof BirthSchema>;

/** That a post is there, or gone. Retained, and the will. */
export const PostStateSchema = Type.Object({
  state: literals(['online', 'offline'] as const),
  /** Rising, kept on the post's disk: an old will cannot mark a live post dead. */
  connection: count,
});
export type PostState = Static<typeof PostStateSchema>;

/** The server's word that samples are stored. A post frees its outbox on nothing else. */
export const ReceiptSchema = Type.Object({
  epoch: Type.Optional(epoch),
  /** Ranges of record ids, both ends included. */
  stored: Type.Array(Type.Tuple([count, count]), { maxItems: 10_000 }),
  /** Records that can never be stored, and why; absent where there are none. */
  refused: Type.Optional(
    Type.Array(Type.Object({ id: count, code: Type.String({ maxLength: 40 }) }), { maxItems: 10_000 }),
  ),
  /** The birth that the server needs and does not have. */
  birthNeeded: Type.Optional(count),
  /** The server's clock, in answers to births: a post that knows the time needs it no more. */
  time: Type.Optional(timeMs),
});
export type Receipt = Static<typeof ReceiptSchema>;

/** Somebody is looking at this post: send every poll for so long. */
export const AttentionSchema = Type.Object({ forS: Type.Integer({ minimum: 0, maximum: 300 }) });
export type Attention = Static<typeof AttentionSchema>;

/** An operator's word to send again: what was receipted since `since`, and the records that were refused, once their cause is mended. */
export const ReplaySchema = Type.Object({
  /** When it was asked for, by the server's clock. A post does each request once: one no newer than the last it did is ignored. */
  at: timeMs,
  since: Type.Optional(timeMs),
  deadLetters: Type.Optional(Type.Boolean()),
});
export type Replay = Static<typeof ReplaySchema>;

/** That the server is there, or gone. Retained, and the will. While it is gone a post spends no bytes. */
export const ServerStateSchema = Type.Object({
  session: Type.String({ maxLength: 40 }),
  online: Type.Boolean(),
  time: timeMs,
});
export type ServerState = Static<typeof ServerStateSchema>;

export const birthDoor: Door<Birth> = doorOf(BirthSchema);
export const postStateDoor: Door<PostState> = doorOf(PostStateSchema);
export const receiptDoor: Door<Receipt> = doorOf(ReceiptSchema);
export const attentionDoor: Door<Attention> = doorOf(AttentionSchema);
export const replayDoor: Door<Replay> = doorOf(ReplaySchema);
export const serverStateDoor: Door<ServerState> = doorOf(ServerStateSchema);

/** A birth repeats itself with every metric: it travels as deflated JSON (RFC 1950). */
export function encodeBirth(birth: Birth): Buffer {
  return deflateSync(encodeJson(birth), { level: 9 });
}

/** Reads what {@link encodeBirth} wrote, or plain JSON, as a person writes it with a tool at the broker. */
export function parseBirth(bytes: Uint8Array): Result<Birth, readonly Fault[]> {
  if (bytes[0] !== ZLIB_FIRST_BYTE) return parseJson(birthDoor, bytes, SESSION_BYTES_MAX);
  try {
    const json = inflateSync(bytes, { maxOutputLength: BIRTH_JSON_BYTES_MAX });
    return parseJson(birthDoor, json, BIRTH_JSON_BYTES_MAX);
  } catch (error) {
    return failed([{ path: '/', message: `does not inflate: ${(error as Error).message}` }]);
  }
}

/** Deflate with a window of 32 kB, which no JSON begins with (RFC 1950, 2.2). */
const ZLIB_FIRST_BYTE = 0x78;

export function encodeJson(message: Birth | PostState | Receipt | Attention | Replay | ServerState): Buffer {
  return Buffer.from(JSON.stringify(message), 'utf8');
}
