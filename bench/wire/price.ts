// What a message costs, by the gateway's own model, so that a month can be priced in seconds; `bench/wire/real.ts` holds the
// model against a real socket.
export {
  aloneBytes,
  CONNECT_WIRE_BYTES as CONNECT_BYTES,
  exchangeBytes,
  PING_BYTES,
  PUBACK_BYTES,
  publishBytes,
} from '#gateway/uplink/wire-bytes.js';
