// Which days of which posts the rollups may not know whole: durable before points are written, so that no end of the process
// between a write and its rollups is forgotten.
import { failed, ok, type Result } from '#domain/result.js';
import type { WriteWatch } from '../ingest/writer.js';
import type { Point, PostDay, Registry, StoreFault } from '../ports.js';

export const DAY_MS = 86_400_000;

export interface Marks extends WriteWatch {
  /** What an earlier run left marked. */
  readonly left: readonly PostDay[];
  /** Calls the listener with the points of every write, as soon as they are stored. */
  follow(listener: (points: readonly Point[]) => void): void;
  /** Marks days that change without a write. Throws like the registry. */
  mark(post: string, days: Iterable<number>): void;
  /** Clears the marks of a post's days, but for those that are needed still and those that a write is on its way to. */
  clear(post: string, isNeeded: (day: number) => boolean): void;
  /** The oldest day that is marked: its points, and all later ones, are needed still. */
  oldestDay(): number | undefined;
  counters(): Readonly<Record<string, number>>;
}

type MarkRegistry = Pick<Registry, 'marks' | 'addMarks' | 'clearMarks'>;

/** Reads what is marked. Throws like the registry. */
export function createMarks(registry: MarkRegistry): Marks {
  return new DayMarks(registry);
}

class DayMarks implements Marks {
  readonly left: readonly PostDay[];
  readonly #registry: MarkRegistry;
  readonly #marked = new Map<string, Set<number>>();
  /** How many writes are on their way to a marked day. */
  readonly #writing = new Map<string, number>();
  #listener: (points: readonly Point[]) => void = () => {};
  readonly #counts = { rollupMarksAdded: 0, rollupMarksCleared: 0 };

  constructor(registry: MarkRegistry) {
    this.#registry = registry;
    this.left = registry.marks();
    for (const { post, day } of this.left) this.#daysOf(post).add(day);
  }

  follow(listener: (points: readonly Point[]) => void): void {
    this.#listener = listener;
  }

  begin(points: readonly Point[]): Result<(stored: readonly Point[]) => void, StoreFault> {
    const touched = daysOf(points);
    try {
      this.#add(touched);
    } catch (error) {
      return failed(faultOf(error));
    }
    for (const mark of touched) this.#count(mark, 1);
    return ok((stored) => {
      for (const mark of touched) this.#count(mark, -1);
      if (stored.length > 0) this.#listener(stored);
    });
  }

  mark(post: string, days: Iterable<number>): void {
    this.#add([...days].map((day) => ({ post, day })));
  }

  clear(post: string, isNeeded: (day: number) => boolean): void {
    const marked = this.#daysOf(post);
    const gone = [...marked].filter((day) => !this.#writing.has(keyOf({ post, day })) && !isNeeded(day));
    if (gone.length === 0) return;
    this.#registry.clearMarks(gone.map((day) => ({ post, day })));
    for (const day of gone) marked.delete(day);
    this.#counts.rollupMarksCleared += gone.length;
  }

  oldestDay(): number | undefined {
    let oldest: number | undefined;
    for (const days of this.#marked.values()) for (const day of days) oldest = Math.min(day, oldest ?? day);
    return oldest;
  }

  counters(): Readonly<Record<string, number>> {
    let marks = 0;
    for (const days of this.#marked.values()) marks += days.size;
    return { ...this.#counts, rollupMarks: marks };
  }

  #add(touched: readonly PostDay[]): void {
    const fresh = touched.filter(({ post, day }) => !this.#daysOf(post).has(day));
    if (fresh.length === 0) return;
    this.#registry.addMarks(fresh);
    for (const { post, day } of fresh) this.#daysOf(post).add(day);
    this.#counts.rollupMarksAdded += fresh.length;
  }

  #count(mark: PostDay, change: 1 | -1): void {
    const key = keyOf(mark);
    const count = (this.#writing.get(key) ?? 0) + change;
    if (count === 0) this.#writing.delete(key);
    else this.#writing.set(key, count);
  }

  #daysOf(post: string): Set<number> {
    const known = this.#marked.get(post);
    if (known !== undefined) return known;
    const days = new Set<number>();
    this.#marked.set(post, days);
    return days;
  }
}

function keyOf({ post, day }: PostDay): string {
  return `${day}/${post}`;
}

function daysOf(points: readonly Point[]): PostDay[] {
  const found: PostDay[] = [];
  const seen = new Map<string, Set<number>>();
  let last: PostDay | undefined;
  for (const { post, at } of points) {
    const day = Math.floor(at / DAY_MS);
    if (last !== undefined && last.day === day && last.post === post) continue;
    last = { post, day };
    const days = seen.get(post) ?? new Set<number>();
    seen.set(post, days);
    if (days.has(day)) continue;
    days.add(day);
    found.push(last);
  }
  return found;
}

/** A registry that cannot save stops writes as a store does. */
function faultOf(error: unknown): StoreFault {
  const { code } = error as { code?: unknown };
  const message = error instanceof Error ? error.message : String(error);
  return { code: code === 'STORE_FULL' ? 'STORE_FULL' : 'STORE_UNAVAILABLE', message };
}
