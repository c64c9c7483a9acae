// What can go wrong between a device and the one who asks it.

/** The sum of the faults of a bus or device at one moment. Empty: all is well. */
export interface BusDisturbance {
  readonly silent?: boolean;
  readonly delayMs?: number;
  /** Modbus exception code instead of an answer. */
  readonly exception?: number;
  /** An answer of another function than was asked for. */
  readonly garbled?: boolean;
  /** An answer whose byte count is not that of its data. Many clients believe it. */
  readonly miscounted?: boolean;
  /** An answer that ends too early. */
  readonly truncated?: boolean;
  /** An answer under another unit. */
  readonly wrongUnit?: boolean;
  /** The connection is cut. */
  readonly drop?: boolean;
  /** The answer comes twice, as from a converter that repeats itself. */
  readonly doubled?: boolean;
  /** The connection is dead from now on, and its end is not told: a converter that was switched off and on again. */
  readonly halfOpen?: boolean;
}
