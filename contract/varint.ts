// Integers of one to eight bytes, seven bits each, lowest first: small ones are short. Numbers up to 2^53 either way.

/** Set in every byte but the last one. */
const CONTINUES = 128;
/** From here on bit operations on numbers are not exact. */
const FAST_MAX = 0x7fff_ffff;
/** The sign takes a bit more than the 53 of a safe integer: 8 × 7 = 56. */
const BYTES_MAX = 8;

/** Writes into memory that grows. */
export class ByteWriter {
  #bytes: Uint8Array;
  #length = 0;

  constructor(sizeHint = 1024) {
    this.#bytes = new Uint8Array(sizeHint);
  }

  get length(): number {
    return this.#length;
  }

  #reserve(count: number): void {
    if (this.#length + count <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(this.#bytes.length * 2, this.#length + count));
    grown.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = grown;
  }

  /** A safe integer from 0 on. */
  unsigned(value: number): void {
    this.#reserve(BYTES_MAX);
    let rest = value;
    while (rest > FAST_MAX) {
      this.#bytes[this.#length++] = (rest % CONTINUES) | CONTINUES;
      rest = Math.floor(rest / CONTINUES);
    }
    while (rest >= CONTINUES) {
      this.#bytes[this.#length++] = (rest & 127) | CONTINUES;
      rest >>>= 7;
    }
    this.#bytes[this.#length++] = rest;
  }

  /** A safe integer of either sign; small negatives are short too: they travel as 0, -1, 1, -2, 2 … */
  signed(value: number): void {
    if (value >= -FAST_MAX / 2 && value <= FAST_MAX / 2) {
      this.unsigned(value < 0 ? -value * 2 - 1 : value * 2);
      return;
    }
    this.#wide(value);
  }

  /** Doubling would leave the integers that a number holds exactly: the lowest six bits and the sign go first. */
  #wide(value: number): void {
    const size = value < 0 ? -(value + 1) : value;
    this.#reserve(1);
    this.#bytes[this.#length++] = CONTINUES | ((size % 64) * 2) | (value < 0 ? 1 : 0);
    this.unsigned(Math.floor(size / 64));
  }

  raw(bytes: Uint8Array): void {
    this.#reserve(bytes.length);
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  /** What was written so far. Valid until the next write. */
  written(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }
}

/**
 * Reads what {@link ByteWriter} wrote. What is not there, or no safe integer, is `undefined`, and so is everything after it:
 * a caller need look only once.
 */
export class ByteReader {
  readonly #bytes: Uint8Array;
  #at = 0;
  #failed = false;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** True when all was read, and nothing failed. */
  get isDone(): boolean {
    return !this.#failed && this.#at === this.#bytes.length;
  }

  /** How many bytes are left: no list that was announced can have more entries. */
  get left(): number {
    return this.#failed ? 0 : this.#bytes.length - this.#at;
  }

  #fail(): undefined {
    this.#failed = true;
    return undefined;
  }

  unsigned(): number | undefined {
    if (this.#failed) return undefined;
    let value = 0;
    let scale = 1;
    for (let count = 0; count < BYTES_MAX; count += 1) {
      const byte = this.#bytes[this.#at];
      if (byte === undefined) return this.#fail();
      this.#at += 1;
      value += (byte & 127) * scale;
      if (byte < CONTINUES) return value <= Number.MAX_SAFE_INTEGER ? value : this.#fail();
      scale *= CONTINUES;
    }
    return this.#fail();
  }

  signed(): number | undefined {
    const first = this.#bytes[this.#at];
    if (this.#failed || first === undefined) return this.#fail();
    this.#at += 1;
    let size = (first & 127) >>> 1;
    if (first >= CONTINUES) {
      const rest = this.unsigned();
      if (rest === undefined) return undefined;
      size += rest * 64;
      if (size > Number.MAX_SAFE_INTEGER) return this.#fail();
    }
    const value = first & 1 ? -size - 1 : size;
    return Number.isSafeInteger(value) ? value : this.#fail();
  }

  raw(count: number): Uint8Array | undefined {
    if (this.#failed || count > this.#bytes.length - this.#at) return this.#fail();
    this.#at += count;
    return this.#bytes.subarray(this.#at - count, this.#at);
  }
}
