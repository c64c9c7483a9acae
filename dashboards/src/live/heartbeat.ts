/**
 * `HEARTBEAT_MS` of the contract, apart from its schemas: the schema library is larger than this whole page. A test holds the
 * two together.
 */
export const HEARTBEAT_MS = 15_000;
