// What a message costs between two IPv4 hosts, as a mobile or satellite operator counts it. An estimate, always with TLS: headers
// of MQTT 3.1.1 (section 2.2), TLS 1.3 records (RFC 8446, section 5.2) and TCP with time stamps (RFC 9293, RFC 7323).

/** Record head, content type and tag of AES-GCM, and the most that one record carries. */
const TLS_RECORD_BYTES = 22;
const TLS_RECORD_MAX = 16_384;
/** IPv4 and TCP with its time stamps, and what is left of 1,500 bytes. */
export const SEGMENT_HEAD_BYTES = 52;
const SEGMENT_MAX = 1448;

export const PUBACK_BYTES = 4;
/** A PINGREQ, and a PINGRESP. */
export const PING_BYTES = 2;

/**
 * TCP's three segments, TLS 1.3 with a chain of two certificates on elliptic curves, CONNECT and SUBSCRIBE with their answers, and
 * the end of it all.
 */
export const CONNECT_WIRE_BYTES = 5_000;

/** A PINGREQ and its PINGRESP. */
export const PING_WIRE_BYTES = exchangeBytes(PING_BYTES, PING_BYTES);

/** A PUBLISH and, with QoS 1, its PUBACK. */
export function publishWireBytes(topic: string, payloadBytes: number, qos: 0 | 1): number {
  const packet = publishBytes(topic, payloadBytes, qos);
  return qos === 0 ? aloneBytes(packet) : exchangeBytes(packet, PUBACK_BYTES);
}

/** A PUBLISH packet alone. */
export function publishBytes(topic: string, payloadBytes: number, qos: 0 | 1): number {
  const rest = 2 + topic.length + (qos === 1 ? 2 : 0) + payloadBytes;
  return 1 + lengthBytes(rest) + rest;
}

/** MQTT writes the length of what follows in seven bits a byte. */
function lengthBytes(rest: number): number {
  return rest < 128 ? 1 : rest < 16_384 ? 2 : rest < 2_097_152 ? 3 : 4;
}

/** A packet as TLS records, without the segments that carry them. */
export function tlsBytes(packet: number): number {
  return packet + Math.ceil(packet / TLS_RECORD_MAX) * TLS_RECORD_BYTES;
}

/** A packet that travels alone: each two segments are acknowledged by one of the other side. */
export function aloneBytes(packet: number): number {
  const bytes = tlsBytes(packet);
  const segments = Math.ceil(bytes / SEGMENT_MAX);
  return bytes + (segments + Math.ceil(segments / 2)) * SEGMENT_HEAD_BYTES;
}

/** A packet and its immediate answer: the answer acknowledges the packet by the way. */
export function exchangeBytes(packet: number, answer: number): number {
  return aloneBytes(packet) + aloneBytes(answer) - SEGMENT_HEAD_BYTES;
}
