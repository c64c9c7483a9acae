// Bytes of a block, written and read in plain loops: a month of a busy series is a million numbers.

/** Writes into memory that grows. */
export class BlockWriter {
  bytes: Uint8Array;
  length = 0;

  constructor(capacity = 4096) {
    this.bytes = new Uint8Array(capacity);
  }

  reserve(count: number): void {
    if (this.length + count <= this.bytes.length) return;
    const larger = new Uint8Array(Math.max(this.bytes.length * 2, this.length + count));
    larger.set(this.bytes.subarray(0, this.length));
    this.bytes = larger;
  }

  byte(value: number): void {
    this.reserve(1);
    this.bytes[this.length++] = value;
  }

  raw(values: Uint8Array): void {
    this.reserve(values.length);
    this.bytes.set(values, this.length);
    this.length += values.length;
  }

  /** Seven bits a byte, lowest first. @param value an integer, 0 ≤ value < 2^53 */
  unsigned(value: number): void {
    this.reserve(8);
    let rest = value;
    while (rest > 0x7fff_ffff) {
      this.bytes[this.length++] = (rest % 128) | 128;
      rest = Math.floor(rest / 128);
    }
    while (rest > 127) {
      this.bytes[this.length++] = (rest & 127) | 128;
      rest >>>= 7;
    }
    this.bytes[this.length++] = rest;
  }

  /** The sign goes into the lowest bit. @param value an integer, |value| < 2^52 */
  signed(value: number): void {
    this.unsigned(value < 0 ? -2 * value - 1 : 2 * value);
  }

  text(value: string): void {
    const bytes = Buffer.from(value, 'utf8');
    this.unsigned(bytes.length);
    this.raw(bytes);
  }
}

/** What is no block, or no longer the one that was written. */
export class BlockDamage extends Error {}

/** Reads what {@link BlockWriter} wrote. Throws {@link BlockDamage} where that cannot be. */
export class BlockReader {
  readonly bytes: Uint8Array;
  at = 0;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }

  byte(): number {
    const value = this.bytes[this.at];
    if (value === undefined) throw new BlockDamage('a block ends too early');
    this.at += 1;
    return value;
  }

  raw(count: number): Uint8Array {
    if (count > this.bytes.length - this.at) throw new BlockDamage('a block ends too early');
    this.at += count;
    return this.bytes.subarray(this.at - count, this.at);
  }

  unsigned(): number {
    const { bytes } = this;
    let value = 0;
    for (let shift = 0; shift < 28; shift += 7) {
      const byte = bytes[this.at++];
      if (byte === undefined) throw new BlockDamage('a block ends too early');
      if (byte < 128) return value | (byte << shift);
      value |= (byte & 127) << shift;
    }
    let scale = 2 ** 28;
    for (let more = 0; more < 4; more += 1) {
      const byte = bytes[this.at++];
      if (byte === undefined) throw new BlockDamage('a block ends too early');
      value += (byte & 127) * scale;
      if (byte < 128) return value;
      scale *= 128;
    }
    throw new BlockDamage('a number of a block is too long');
  }

  signed(): number {
    const value = this.unsigned();
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
  }

  text(): string {
    return Buffer.from(this.raw(this.unsigned())).toString('utf8');
  }

  get isDone(): boolean {
    return this.at === this.bytes.length;
  }
}
