// Sets of record ids as ranges, both ends included. Ids are sent nearly in order, so there are few ranges.

export type IdRange = readonly [first: number, last: number];

/** Ranges of ids in any order. */
export function rangesOf(ids: readonly number[]): IdRange[] {
  const ranges: [number, number][] = [];
  for (const id of [...ids].sort((a, b) => a - b)) joinNext(ranges, [id, id]);
  return ranges;
}

/** The union, sorted, neighbours joined. */
export function joinRanges(ranges: readonly IdRange[]): IdRange[] {
  const joined: [number, number][] = [];
  for (const range of [...ranges].sort(([a], [b]) => a - b)) joinNext(joined, range);
  return joined;
}

/** @param range begins no earlier than any before it */
function joinNext(joined: [number, number][], [first, last]: IdRange): void {
  const newest = joined.at(-1);
  if (newest !== undefined && first <= newest[1] + 1) newest[1] = Math.max(newest[1], last);
  else joined.push([first, last]);
}

/** Adds ranges in place, so that it costs the same however much is there. `sorted` is as {@link joinRanges} gives it. */
export function addRanges(sorted: IdRange[], ranges: readonly IdRange[]): void {
  for (const range of ranges) {
    const [first, last] = range;
    const from = placeOf(sorted, endOf, first - 1);
    let to = from;
    for (let met = sorted[to]; met !== undefined && met[0] <= last + 1; met = sorted[to]) to += 1;
    sorted.splice(from, to - from, ...joinRanges([range, ...sorted.slice(from, to)]));
  }
}

/** What both have. `sorted` is as {@link joinRanges} gives it. */
export function clipRanges(ranges: readonly IdRange[], sorted: readonly IdRange[]): IdRange[] {
  const clipped: IdRange[] = [];
  for (const [first, last] of ranges) {
    let place = placeOf(sorted, endOf, first);
    for (let met = sorted[place]; met !== undefined && met[0] <= last; met = sorted[place]) {
      clipped.push([Math.max(first, met[0]), Math.min(last, met[1])]);
      place += 1;
    }
  }
  return joinRanges(clipped);
}

const endOf = ([, last]: IdRange): number => last;

/** Place of the first range that ends at `id` or later. `sorted`, and none meets another. */
export function placeOf<T>(sorted: readonly T[], end: (range: T) => number, id: number): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (end(sorted[middle] as T) < id) low = middle + 1;
    else high = middle;
  }
  return low;
}

export function rangesHave(ranges: readonly IdRange[], id: number): boolean {
  return ranges.some(([first, last]) => first <= id && id <= last);
}
