// What the RTU master needs of a wire: bytes out, bytes in, and word of its end.
import type { Result } from '#domain/result.js';
import type { BusFault } from '../ports.js';

export interface LineEvents {
  data(bytes: Uint8Array): void;
  /** The line is gone. Called once at most. */
  closed(why: string): void;
}

export interface ByteLine {
  /** Resolves when the bytes have left, or the line is gone. */
  write(bytes: Uint8Array): Promise<void>;
  destroy(): Promise<void>;
}

/** Opens the wire; a wire that cannot be opened is a fault, never an exception. */
export type OpenLine = (events: LineEvents) => Promise<Result<ByteLine, BusFault>>;

export function disconnected(message: string): BusFault {
  return { code: 'BUS_DISCONNECTED', message };
}
