// What the gateway asks of the world.
import type { Reading } from '#domain/reading.js';
import type { Result } from '#domain/result.js';
import type { Table } from '#profiles/profile.js';

/** One Modbus read. The only thing that a bus can be asked for: there is no write in this product. */
export interface BusRequest {
  readonly unit: number;
  readonly table: Table;
  /** Address as it goes on the wire. */
  readonly start: number;
  readonly count: number;
  readonly timeoutMs: number;
  /** Unit that may answer, where it is not `unit`. */
  readonly replyUnit?: number;
}

export interface BusFault {
  readonly code: 'BUS_TIMEOUT' | 'BUS_EXCEPTION' | 'BUS_GARBLED' | 'BUS_DISCONNECTED';
  /** Modbus exception code, for `BUS_EXCEPTION`. */
  readonly exception?: number;
  readonly message: string;
}

/**
 * A line or socket to devices. One call at a time is on the wire; more wait in turn. Every call settles, at the latest a
 * little after its time-out, whatever the peer does. An answer is never given to another question.
 */
export interface Bus {
  /** Words of the registers, or 0/1 per coil. */
  read(request: BusRequest): Promise<Result<readonly number[], BusFault>>;
  close(): Promise<void>;
}

/** What one poll of one device gave: every metric that was due, good or not. */
export interface PollResult {
  readonly device: string;
  /** Source time of the poll. */
  readonly at: number;
  readonly readings: readonly Reading[];
}

/** A record as the outbox keeps it. Holds metric ids, never indexes: it outlives the birth it was made under. */
export interface OutboxRecord {
  readonly epoch: string;
  readonly id: number;
  /** Samples of one device's poll, or of a snapshot. */
  readonly samples: readonly OutboxSample[];
  /** Made while there was no connection to the server. */
  readonly offline: boolean;
  /** When it was recorded, epoch ms; `undefined` while the gateway has not learnt the time. */
  readonly at: number | undefined;
}

export interface OutboxSample extends Reading {
  readonly device: string;
}

/** The uplink's carrier. It carries bytes and owns no data; `publish` is only called while connected. */
export interface UplinkCarrier {
  /** False when the bytes could not be handed to the socket now (not connected, or its buffer is full). */
  publish(topic: string, payload: Uint8Array, options: { qos: 0 | 1; retain: boolean }): boolean;
  /** Bytes that the socket has not sent yet. */
  bufferedBytes(): number;
}
