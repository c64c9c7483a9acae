// Sets of record ids as ranges, both ends included. Ids are sent nearly in order, so there are few ranges.

export type IdRange = readonly [first: number, last: number];

/** Ranges of ids in any order. */
export function rangesOf(ids: readonly number[]): IdRange[] {
  return joinRanges(ids.map((id) => [id, id]));
}

/** The union, sorted, neighbours joined. */
export function joinRanges(ranges: readonly IdRange[]): IdRange[] {
  const joined: [number, number][] = [];
  for (const [first, last] of [...ranges].sort(([a], [b]) => a - b)) {
    const newest = joined.at(-1);
    if (newest !== undefined && first <= newest[1] + 1) newest[1] = Math.max(newest[1], last);
    else joined.push([first, last]);
  }
  return joined;
}

/** What both have. `sorted` is as {@link joinRanges} gives it. */
export function clipRanges(ranges: readonly IdRange[], sorted: readonly IdRange[]): IdRange[] {
  return joinRanges(
    ranges.flatMap(([first, last]) =>
      sorted.flatMap(([from, to]): IdRange[] => {
        const range: IdRange = [Math.max(first, from), Math.min(last, to)];
        return range[0] <= range[1] ? [range] : [];
      }),
    ),
  );
}

export function rangesHave(ranges: readonly IdRange[], id: number): boolean {
  return ranges.some(([first, last]) => first <= id && id <= last);
}
