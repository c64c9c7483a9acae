// All that is whole in a damaged outbox, page by page: from the database and from every frame of its write-ahead log.
import { closeSync, existsSync, fstatSync, openSync, readFileSync, readSync } from 'node:fs';
import type { FactKind, FactRow } from './facts.js';
import { PAGE_BYTES } from './outbox-schema.js';
import { type PageRows, rowsOfPage } from './page-rows.js';
import type { RecordRow } from './record-row.js';
import { readWal, type WalContent, type WalFrame } from './wal-file.js';

export type KnownFact = readonly [kind: FactKind, name: string, value: unknown];

export interface Salvaged {
  /** What the damaged rows' facts came to, one each. */
  readonly facts: readonly KnownFact[];
  /** Rows that are there and not whole. */
  readonly damaged: number;
}

export function walOf(file: string): WalContent {
  const nothing: WalContent = { frames: [], committed: 0, isBroken: false };
  if (!existsSync(`${file}-wal`)) return nothing;
  return readWal(readFileSync(`${file}-wal`), PAGE_BYTES) ?? nothing;
}

/** The newest image of a page comes first; older ones only where it is not whole. */
export function salvage(file: string, takeRecord: (row: RecordRow) => void): Salvaged {
  const { frames } = walOf(file);
  const byPage = new Map<number, WalFrame[]>();
  for (const frame of frames) if (frame.isSound) byPage.set(frame.page, [frame, ...(byPage.get(frame.page) ?? [])]);
  const facts: FactRow[] = [];
  let damaged = 0;
  const handle = existsSync(file) ? openSync(file, 'r') : undefined;
  const readStored = (page: number): Buffer | undefined => {
    if (handle === undefined || page < 1 || page > 0xfffffffe) return undefined;
    const image = Buffer.alloc(PAGE_BYTES);
    return readSync(handle, image, 0, PAGE_BYTES, (page - 1) * PAGE_BYTES) === PAGE_BYTES ? image : undefined;
  };
  const readNewest = (page: number) => byPage.get(page)?.[0]?.image ?? readStored(page);
  const take = (rows: PageRows): void => {
    for (const row of rows.records) takeRecord(row);
    facts.push(...rows.facts);
  };
  try {
    const stored = handle === undefined ? 0 : Math.ceil(fstatSync(handle).size / PAGE_BYTES);
    const last = [...byPage.keys()].reduce((most, page) => Math.max(most, page), stored);
    for (let page = 2; page <= last; page += 1) {
      const images = [...(byPage.get(page) ?? []).map(({ image }) => image), readStored(page)];
      for (const [i, image] of images.entries()) {
        if (image === undefined) continue;
        const rows = rowsOfPage(image, i === images.length - 1 ? (n) => readStored(n) ?? readNewest(n) : readNewest);
        take(rows);
        if (i === 0 || rows.damaged > 0) damaged += rows.damaged;
        if (rows.damaged === 0) break;
      }
    }
    for (const { image, isSound } of frames) if (!isSound) take(rowsOfPage(image, readNewest));
  } finally {
    if (handle !== undefined) closeSync(handle);
  }
  return { facts: joinFacts(facts), damaged };
}

/** A file may show older versions of a fact too: of each the one that can do no harm. */
function joinFacts(rows: readonly FactRow[]): KnownFact[] {
  const joined = new Map<string, KnownFact>();
  for (const { kind, name, value } of rows) {
    const fact: KnownFact = [kind as FactKind, name, JSON.parse(value)];
    const known = joined.get(`${kind} ${name}`);
    if (known === undefined || isSafer(fact[0], fact[2], known[2])) joined.set(`${kind} ${name}`, fact);
  }
  return [...joined.values()];
}

function isSafer(kind: FactKind, value: unknown, known: unknown): boolean {
  if (kind === 'counter' || kind === 'number') return Number(value) > Number(known);
  if (kind === 'lost') return Number(value) < Number(known);
  if (kind === 'receipted' || kind === 'sent' || kind === 'gone') return lastOf(value) > lastOf(known);
  return false;
}

const lastOf = (range: unknown): number => (Array.isArray(range) ? Number(range[0]) : 0);
