// Numbers of one series, bit for bit: scaled to integers where that is exactly reversible, else as 32-bit floats where all are
// such, else as 64-bit floats. Most meters tell one or two decimals, and their steps fit into a byte. In the spirit of Gorilla
// (Pelkonen et al., VLDB 2015) and ALP (Afroozeh et al., SIGMOD 2023).
import { BlockDamage, type BlockReader, type BlockWriter } from './bytes.js';

/** Forms 0 … 9 are integers of 10^-form. */
const DECIMALS_MAX = 9;
const FLOAT32 = 16;
const FLOAT64 = 17;
const POWERS = Array.from({ length: DECIMALS_MAX + 1 }, (_, decimals) => 10 ** decimals);
/** Steps between scaled numbers stay below 2^52. */
const SCALED_MAX = 2 ** 50;

const bits = new Int32Array(1);
const float = new Float32Array(bits.buffer);

/** Writes the first `count` of `values`, none of which is NaN. */
export function writeNumbers(writer: BlockWriter, values: Float64Array, count: number): void {
  const decimals = decimalsOf(values, count);
  if (decimals !== undefined) {
    writer.byte(decimals);
    writeScaled(writer, values, count, POWERS[decimals] as number);
    return;
  }
  for (let place = 0; place < count; place += 1) {
    const value = values[place] as number;
    if (Object.is(Math.fround(value), value)) continue;
    writer.byte(FLOAT64);
    writePlanes(writer, values, count);
    return;
  }
  writer.byte(FLOAT32);
  writeFloats(writer, values, count);
}

/** Fewest decimals with which every value is an integer, and back exactly; `undefined` where there are none. */
function decimalsOf(values: Float64Array, count: number): number | undefined {
  let decimals = 0;
  for (let place = 0; place < count; place += 1) {
    const value = values[place] as number;
    while (!isExact(value, POWERS[decimals] as number)) {
      decimals += 1;
      if (decimals > DECIMALS_MAX) return undefined;
    }
  }
  if (decimals === 0) return 0;
  // With more decimals an earlier value may be too large, or no longer reversible.
  const power = POWERS[decimals] as number;
  for (let place = 0; place < count; place += 1) if (!isExact(values[place] as number, power)) return undefined;
  return decimals;
}

function isExact(value: number, power: number): boolean {
  const scaled = Math.round(value * power);
  if (scaled === 0) return Object.is(value, 0);
  return scaled / power === value && scaled < SCALED_MAX && scaled > -SCALED_MAX;
}

/** Steps; a zero is followed by how many more zeros there are. */
function writeScaled(writer: BlockWriter, values: Float64Array, count: number, power: number): void {
  writer.reserve(count * 9 + 16);
  let previous = 0;
  for (let place = 0; place < count; ) {
    const scaled = Math.round((values[place] as number) * power);
    const step = scaled - previous;
    previous = scaled;
    place += 1;
    if (step !== 0) {
      if (step < 64 && step >= -64) writer.bytes[writer.length++] = step < 0 ? -2 * step - 1 : 2 * step;
      else writer.signed(step);
      continue;
    }
    const first = place;
    const same = values[place - 1] as number;
    while (place < count && values[place] === same) place += 1;
    writer.bytes[writer.length++] = 0;
    writer.unsigned(place - first);
  }
}

function writeFloats(writer: BlockWriter, values: Float64Array, count: number): void {
  let previous = 0;
  for (let place = 0; place < count; ) {
    const value = values[place] as number;
    float[0] = value;
    const now = bits[0] as number;
    const step = (now - previous) | 0;
    previous = now;
    place += 1;
    writer.unsigned(((step << 1) ^ (step >> 31)) >>> 0);
    if (step !== 0) continue;
    const first = place;
    while (place < count && Object.is(values[place], value)) place += 1;
    writer.unsigned(place - first);
  }
}

/** Eight planes, highest bytes first, each byte XOR the one before: what stays equal becomes zeros, which deflate well. */
function writePlanes(writer: BlockWriter, values: Float64Array, count: number): void {
  const bytes = new Uint8Array(values.buffer, values.byteOffset, count * 8);
  writer.reserve(count * 8);
  for (let plane = 7; plane >= 0; plane -= 1) {
    let before = 0;
    for (let place = plane; place < bytes.length; place += 8) {
      const byte = bytes[place] as number;
      writer.bytes[writer.length++] = byte ^ before;
      before = byte;
    }
  }
}

/** The inverse of {@link writeNumbers}: fills `values` from `start` on. */
export function readNumbers(reader: BlockReader, values: Float64Array, start: number, count: number): void {
  const form = reader.byte();
  if (form <= DECIMALS_MAX) readScaled(reader, values, start, count, POWERS[form] as number);
  else if (form === FLOAT32) readFloats(reader, values, start, count);
  else if (form === FLOAT64) readPlanes(reader, values, start, count);
  else throw new BlockDamage(`numbers of the unknown form ${form}`);
}

function readScaled(reader: BlockReader, values: Float64Array, start: number, count: number, power: number): void {
  const { bytes } = reader;
  const end = start + count;
  let scaled = 0;
  for (let place = start; place < end; ) {
    // Most steps fit into one byte.
    let at = reader.at;
    for (let byte = bytes[at] as number; byte > 0 && byte < 128 && place < end; byte = bytes[++at] as number) {
      scaled += (byte >>> 1) ^ -(byte & 1);
      values[place++] = scaled / power;
    }
    reader.at = at;
    if (place === end) return;
    const step = reader.signed();
    scaled += step;
    values[place++] = scaled / power;
    if (step === 0) place = repeat(reader, values, place, end);
  }
}

/** Fills in as many more of the last value as the run says. Gives the place behind them. */
function repeat(reader: BlockReader, values: Float64Array, place: number, end: number): number {
  const run = reader.unsigned();
  if (run > end - place) throw new BlockDamage('a run that is too long');
  values.fill(values[place - 1] as number, place, place + run);
  return place + run;
}

function readFloats(reader: BlockReader, values: Float64Array, start: number, count: number): void {
  const end = start + count;
  let now = 0;
  for (let place = start; place < end; ) {
    const coded = reader.unsigned();
    now = (now + ((coded >>> 1) ^ -(coded & 1))) | 0;
    bits[0] = now;
    values[place++] = float[0] as number;
    if (coded === 0) place = repeat(reader, values, place, end);
  }
}

function readPlanes(reader: BlockReader, values: Float64Array, start: number, count: number): void {
  const bytes = new Uint8Array(values.buffer, values.byteOffset + start * 8, count * 8);
  for (let plane = 7; plane >= 0; plane -= 1) {
    const part = reader.raw(count);
    let before = 0;
    for (let place = 0; place < count; place += 1) {
      before ^= part[place] as number;
      bytes[place * 8 + plane] = before;
    }
  }
}
