// What one write adds, in one blob: the row of the log, the way from thread to thread, and what is replayed at the next start
// are the same bytes.
import { crc32 } from 'node:zlib';
import { BlockDamage, BlockReader, BlockWriter } from '../block/bytes.js';
import { WordList } from '../block/word-list.js';

/** "OFL1" */
const MAGIC = 0x4f46_4c31;
/** Magic, checksum, count, and the bytes of places, marks and words. */
const HEAD_BYTES = 24;
const NUMBER = 0;
const NONE = 1;
const WORD = 2;

/** Takes the points of a record, one by one. */
export interface PointSink {
  /** @param value NaN for none */
  push(series: number, at: number, value: number, code: number): void;
  pushWord(series: number, at: number, word: string, code: number): void;
}

/** Gathers the points of one write. Used again and again: its memory stays. */
export class RecordPacker {
  #values = new Float64Array(8192);
  readonly #places = new BlockWriter(32 * 1024);
  readonly #marks = new BlockWriter();
  #words = new WordList();
  #series = 0;
  #at = 0;
  #mark = -1;
  #run = 0;
  count = 0;

  begin(): void {
    this.#places.length = 0;
    this.#marks.length = 0;
    this.#words = new WordList();
    this.#series = 0;
    this.#at = 0;
    this.#mark = -1;
    this.#run = 0;
    this.count = 0;
  }

  number(series: number, at: number, value: number, code: number): void {
    this.#add(series, at, value, code * 4 + NUMBER);
  }

  none(series: number, at: number, code: number): void {
    this.#add(series, at, 0, code * 4 + NONE);
  }

  word(series: number, at: number, word: string, code: number): void {
    this.#add(series, at, this.#words.placeOf(word), code * 4 + WORD);
  }

  #add(series: number, at: number, value: number, mark: number): void {
    if (this.count === this.#values.length) {
      const larger = new Float64Array(this.count * 2);
      larger.set(this.#values);
      this.#values = larger;
    }
    this.#values[this.count] = value;
    this.count += 1;
    this.#places.signed(series - this.#series);
    this.#places.signed(at - this.#at);
    this.#series = series;
    this.#at = at;
    if (mark === this.#mark) {
      this.#run += 1;
      return;
    }
    this.#endRun();
    this.#mark = mark;
    this.#run = 1;
  }

  #endRun(): void {
    if (this.#run === 0) return;
    this.#marks.unsigned(this.#mark);
    this.#marks.unsigned(this.#run);
    this.#run = 0;
  }

  /** The record, in memory of its own. */
  taken(): Uint8Array {
    this.#endRun();
    const { words: named } = this.#words;
    const words = named.length === 0 ? Buffer.alloc(0) : Buffer.from(JSON.stringify(named));
    const { count } = this;
    const record = new Uint8Array(HEAD_BYTES + count * 8 + this.#places.length + this.#marks.length + words.length);
    let at = HEAD_BYTES;
    for (const part of [
      new Uint8Array(this.#values.buffer, 0, count * 8),
      this.#places.bytes.subarray(0, this.#places.length),
      this.#marks.bytes.subarray(0, this.#marks.length),
      words,
    ]) {
      record.set(part, at);
      at += part.length;
    }
    const head = new DataView(record.buffer);
    for (const [i, length] of [count, this.#places.length, this.#marks.length, words.length].entries())
      head.setUint32(8 + 4 * i, length);
    head.setUint32(0, MAGIC);
    head.setUint32(4, crc32(record.subarray(8)));
    return record;
  }
}

/**
 * Hands the points of a record over, in their order. Throws {@link BlockDamage} before the first.
 * @param isFresh it has not been on a disk
 */
export function readRecord(bytes: Uint8Array, sink: PointSink, isFresh = false): void {
  // What SQLite gives may begin at an odd place of a larger memory.
  const record = bytes.byteOffset % 8 === 0 ? bytes : bytes.slice();
  if (record.length < HEAD_BYTES) throw new BlockDamage('a log record that is cut off');
  const head = new DataView(record.buffer, record.byteOffset);
  if (head.getUint32(0) !== MAGIC || (!isFresh && head.getUint32(4) !== crc32(record.subarray(8))))
    throw new BlockDamage('a log record with a wrong checksum');
  const [count = 0, placesLength = 0, marksLength = 0, wordsLength = 0] = [8, 12, 16, 20].map((at) =>
    head.getUint32(at),
  );
  const values = new Float64Array(record.buffer, record.byteOffset + HEAD_BYTES, count);
  const rest = new BlockReader(record.subarray(HEAD_BYTES + count * 8));
  const places = new BlockReader(rest.raw(placesLength));
  const marks = new BlockReader(rest.raw(marksLength));
  const words: string[] = wordsLength === 0 ? [] : JSON.parse(Buffer.from(rest.raw(wordsLength)).toString('utf8'));
  let series = 0;
  let at = 0;
  for (let place = 0; place < count; ) {
    const mark = marks.unsigned();
    const end = place + marks.unsigned();
    const code = mark >> 2;
    const kind = mark & 3;
    for (; place < end; place += 1) {
      series += step(places);
      at += step(places);
      const value = values[place] as number;
      if (kind === NUMBER) sink.push(series, at, value, code);
      else if (kind === NONE) sink.push(series, at, Number.NaN, code);
      else sink.pushWord(series, at, words[value] as string, code);
    }
  }
}

/** {@link BlockReader.signed}, without a call for what fits into a byte, as nearly all steps do. */
function step(places: BlockReader): number {
  const byte = places.bytes[places.at] as number;
  if (byte > 127) return places.signed();
  places.at += 1;
  return (byte >>> 1) ^ -(byte & 1);
}
