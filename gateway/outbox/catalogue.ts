// What was ever measured, as long as records of it may exist.
import type { CatalogueEntry } from './outbox.js';
import type { RecordStore } from './record-store.js';

/** Description, and the last record that may hold it once it is declared no longer. */
type Known = readonly [description: string, retiredAfter: number | null];

/** Gives what is measured no longer. On the disk with the next transaction. */
export function declareCatalogue(store: RecordStore, current: readonly CatalogueEntry[]): readonly CatalogueEntry[] {
  const { facts } = store;
  const names = new Map(current.map((entry) => [JSON.stringify([entry.device, entry.metric]), entry.description]));
  for (const [name, description] of names) {
    const known = facts.get<Known>('catalogue', name);
    if (known?.[0] !== description || known[1] !== null) facts.set('catalogue', name, [description, null]);
  }
  const oldest = store.run.firstFrom.get(0) ?? Number.POSITIVE_INFINITY;
  const retired: CatalogueEntry[] = [];
  for (const [name, [description, retiredAfter]] of facts.entries<Known>('catalogue')) {
    if (names.has(name)) continue;
    const last = retiredAfter ?? store.lastSeq;
    if (oldest > last) {
      facts.delete('catalogue', name);
      continue;
    }
    if (retiredAfter === null) facts.set('catalogue', name, [description, last]);
    const [device = '', metric = ''] = JSON.parse(name) as string[];
    retired.push({ device, metric, description });
  }
  return retired.sort((a, b) => (`${a.device} ${a.metric}` < `${b.device} ${b.metric}` ? -1 : 1));
}
