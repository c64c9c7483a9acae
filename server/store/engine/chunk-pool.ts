// Memory for points that are in the log only. Thousands of series grow in turns: each takes a small chunk at a time from memory
// that is kept, so that none of them costs an allocation.
import type { Columns } from '../block/columns.js';

/** A chunk is 512 bytes: pairs of time and value side by side, and a byte for the code of each at its end. */
export const CHUNK_POINTS = 30;
const CHUNK_NUMBERS = 64;
const PAIRS_END = 2 * CHUNK_POINTS;
/** Chunks are cut from pieces of half a megabyte. */
const SLAB_SHIFT = 16;
const SLAB_NUMBERS = 1 << SLAB_SHIFT;

/** As the place of the next point: there is no room for it. */
export const NO_ROOM = PAIRS_END;

/** Points have places, two apart from one to the next within a chunk. */
export class ChunkPool {
  readonly #numbers: Float64Array[] = [];
  readonly #bytes: Uint8Array[] = [];
  /** How many chunks are in use. */
  taken = 0;

  /** The place of the first point of another chunk. */
  take(): number {
    const start = this.taken * CHUNK_NUMBERS;
    this.taken += 1;
    const slab = start >>> SLAB_SHIFT;
    if (slab === this.#numbers.length) {
      const numbers = new Float64Array(SLAB_NUMBERS);
      this.#numbers.push(numbers);
      this.#bytes.push(new Uint8Array(numbers.buffer));
    }
    const codes = start % SLAB_NUMBERS;
    (this.#numbers[slab] as Float64Array).fill(0, codes + PAIRS_END, codes + CHUNK_NUMBERS);
    return start;
  }

  /** All at once. */
  takeBackAll(): void {
    this.taken = 0;
  }

  put(place: number, at: number, value: number, code: number): void {
    const slab = place >>> SLAB_SHIFT;
    const within = place & (SLAB_NUMBERS - 1);
    const numbers = this.#numbers[slab] as Float64Array;
    numbers[within] = at;
    numbers[within + 1] = value;
    // Nearly all are 0, and so the byte is already.
    if (code !== 0) (this.#bytes[slab] as Uint8Array)[codeAt(within)] = code;
  }

  /** Appends the first `count` points of the chunk that begins at `start`. */
  copy(start: number, count: number, into: Columns): void {
    const slab = start >>> SLAB_SHIFT;
    const numbers = this.#numbers[slab] as Float64Array;
    const bytes = this.#bytes[slab] as Uint8Array;
    const first = start & (SLAB_NUMBERS - 1);
    for (let within = first; within < first + 2 * count; within += 2)
      into.push(numbers[within] as number, numbers[within + 1] as number, bytes[codeAt(within)] as number);
  }
}

/** True where no point has room at the place, which is the end of a chunk. */
export function isEnd(place: number): boolean {
  return place % CHUNK_NUMBERS === PAIRS_END;
}

/** Which byte of a slab holds the code of a point. */
function codeAt(within: number): number {
  const place = within % CHUNK_NUMBERS;
  return (within - place + PAIRS_END) * Float64Array.BYTES_PER_ELEMENT + place / 2;
}
