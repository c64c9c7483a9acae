// What a message costs between two IPv4 hosts: its MQTT frame, TLS 1.3 records, TCP segments and their acknowledgements.
// A model, so that a month can be priced in seconds; `bench/wire/real.ts` holds it against a real socket.

/** Head, content type and tag of a TLS 1.3 record, and the most that one carries. */
const TLS_RECORD_BYTES = 22;
const TLS_RECORD_MAX = 16_384;
/** IPv4 and TCP with its time stamps; what is left of 1,500 bytes. */
export const SEGMENT_HEAD_BYTES = 52;
const SEGMENT_MAX = 1448;

/** A PUBLISH packet of MQTT 3.1.1. */
export function publishBytes(topic: string, payloadBytes: number, qos: 0 | 1): number {
  const rest = 2 + topic.length + (qos === 1 ? 2 : 0) + payloadBytes;
  return 1 + lengthBytes(rest) + rest;
}

/** MQTT writes the length of what follows in seven bits a byte. */
function lengthBytes(rest: number): number {
  return rest < 128 ? 1 : rest < 16_384 ? 2 : rest < 2_097_152 ? 3 : 4;
}

export const PUBACK_BYTES = 4;
export const PING_BYTES = 2;

/** One write to the socket as TLS records, without the segments that carry them. */
export function tlsBytes(bytes: number): number {
  return bytes + Math.ceil(bytes / TLS_RECORD_MAX) * TLS_RECORD_BYTES;
}

/** A message that travels alone: each two segments are acknowledged by one of the other side. */
export function aloneBytes(bytes: number): number {
  const segments = Math.ceil(tlsBytes(bytes) / SEGMENT_MAX);
  return tlsBytes(bytes) + (segments + Math.ceil(segments / 2)) * SEGMENT_HEAD_BYTES;
}

/** A message and its immediate answer: the answer acknowledges the message by the way. */
export function exchangeBytes(bytes: number, answer: number): number {
  return aloneBytes(bytes) + aloneBytes(answer) - SEGMENT_HEAD_BYTES;
}

/**
 * TCP's three segments, TLS 1.3 with a certificate chain of two on elliptic curves, MQTT's CONNECT and SUBSCRIBE with their
 * answers, and the end of it all.
 */
export const CONNECT_BYTES = 5_000;
