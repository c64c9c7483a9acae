// What the outbox must remember beside its records: a few hundred small values, held in memory, each with its checksum on disk.
import { crc32 } from 'node:zlib';
import type Database from 'better-sqlite3';
import { damage } from './sqlite-faults.js';

/**
 * `epoch`: name → [base, start]. `counter`, `number`: name → number. `catalogue`: device and metric → [description, retired
 * after]. `receipted`, `sent`, `gone`: first seq → [last seq, time]. `lost`: device and metric → time of the first lost sample.
 */
const FACT_KINDS = ['epoch', 'counter', 'number', 'catalogue', 'receipted', 'sent', 'gone', 'lost'] as const;
export type FactKind = (typeof FACT_KINDS)[number];

export interface FactRow {
  readonly number: number;
  readonly kind: string;
  readonly name: string;
  readonly value: string;
  readonly crc: number;
}

interface Fact {
  readonly number: number;
  readonly value: unknown;
}

function factCrc(kind: string, name: string, value: string): number {
  return crc32(`${kind}\n${name}\n${value}`);
}

export function isWholeFact(row: FactRow): boolean {
  return row.crc === factCrc(row.kind, row.name, row.value) && FACT_KINDS.some((kind) => kind === row.kind);
}

/** Changes are on the disk once they were {@link Facts.write written} within a transaction that was committed. */
export class Facts {
  readonly #kinds = new Map<FactKind, Map<string, Fact>>(FACT_KINDS.map((kind) => [kind, new Map()]));
  readonly #changed = new Map<number, [FactKind, string]>();
  /** What was there before each change of the running transaction. */
  #undo: [FactKind, string, Fact | undefined][] | undefined;
  readonly #put: Database.Statement<[number, string, string, string, number]>;
  readonly #remove: Database.Statement<[number]>;
  #nextNumber = 1;

  /** Throws `SQLITE_CORRUPT` where a checksum does not hold. */
  constructor(database: Database.Database) {
    this.#put = database.prepare('INSERT OR REPLACE INTO fact (number, kind, name, value, crc) VALUES (?, ?, ?, ?, ?)');
    this.#remove = database.prepare('DELETE FROM fact WHERE number = ?');
    for (const row of database.prepare<[], FactRow>('SELECT number, kind, name, value, crc FROM fact').iterate()) {
      if (!isWholeFact(row)) throw damage('a fact is damaged');
      this.#of(row.kind as FactKind).set(row.name, { number: row.number, value: JSON.parse(row.value) });
      this.#nextNumber = Math.max(this.#nextNumber, row.number + 1);
    }
  }

  #of(kind: FactKind): Map<string, Fact> {
    const facts = this.#kinds.get(kind);
    if (facts === undefined) throw new Error(`no facts of kind ${kind}`);
    return facts;
  }

  get<T>(kind: FactKind, name: string): T | undefined {
    return this.#of(kind).get(name)?.value as T | undefined;
  }

  entries<T>(kind: FactKind): [string, T][] {
    return [...this.#of(kind)].map(([name, { value }]) => [name, value as T]);
  }

  all(): [FactKind, string, unknown][] {
    return FACT_KINDS.flatMap((kind) =>
      this.entries<unknown>(kind).map(([name, value]): [FactKind, string, unknown] => [kind, name, value]),
    );
  }

  set(kind: FactKind, name: string, value: unknown): void {
    const known = this.#of(kind).get(name);
    const number = known?.number ?? this.#nextNumber++;
    this.#undo?.push([kind, name, known]);
    this.#of(kind).set(name, { number, value });
    this.#changed.set(number, [kind, name]);
  }

  delete(kind: FactKind, name: string): void {
    const fact = this.#of(kind).get(name);
    if (fact === undefined) return;
    this.#undo?.push([kind, name, fact]);
    this.#of(kind).delete(name);
    this.#changed.set(fact.number, [kind, name]);
  }

  add(name: string, by: number): void {
    if (by !== 0) this.set('counter', name, (this.get<number>('counter', name) ?? 0) + by);
  }

  get isChanged(): boolean {
    return this.#changed.size > 0;
  }

  begin(): void {
    this.#undo = [];
  }

  /** Within a transaction. */
  write(): void {
    for (const [number, [kind, name]] of this.#changed) {
      const fact = this.#of(kind).get(name);
      if (fact === undefined || fact.number !== number) {
        this.#remove.run(number);
        continue;
      }
      const value = JSON.stringify(fact.value);
      this.#put.run(number, kind, name, value, factCrc(kind, name, value));
    }
  }

  /** After its commit. */
  settle(): void {
    this.#changed.clear();
    this.#undo = undefined;
  }

  /** After a transaction that was rolled back: all is as at {@link Facts.begin}, and what was to be written still is. */
  rollBack(): void {
    const undo = this.#undo ?? [];
    this.#undo = undefined;
    for (const [kind, name, fact] of undo.reverse()) {
      const now = this.#of(kind).get(name);
      if (now !== undefined) this.#changed.set(now.number, [kind, name]);
      if (fact === undefined) this.#of(kind).delete(name);
      else {
        this.#of(kind).set(name, fact);
        this.#changed.set(fact.number, [kind, name]);
      }
    }
  }
}
