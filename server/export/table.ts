// What is exported, before it becomes a file: heads, and rows one after the other, so that a year is never in memory.

/** A moment, with what the post's clock shows. */
export interface Moment {
  readonly at: number;
  readonly iso: string;
  /** Milliseconds that the post's wall clock is ahead of UTC. */
  readonly offsetMs: number;
}

/** null where nothing is known: an empty cell, never zero. */
export type Cell = string | number | boolean | Moment | null;

export interface ExportTable {
  /** One for each column, the unit in brackets: `meter-1/load.power [W]`. */
  readonly heads: readonly string[];
  /** Throws {@link ExportError} where the store does not answer. */
  readonly rows: AsyncIterable<readonly Cell[]>;
}

/** The store does not answer any more: the file ends without its trailer. */
export class ExportError extends Error {}
