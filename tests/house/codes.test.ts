import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ROOT, readSources } from './source-files.js';

/** Areas that begin a code. A new area is added here and told in docs/operations.md. */
const AREAS =
  'ALARM|API|BACKUP|BROKER|BUS|CARRY|CONFIG|DATA|DEMO|DRILL|EXPORT|HTTP|IDENTITY|IMPORT|INGEST|LINK|LIVE|NOTICE|OUTBOX|PROFILE|READ|REGISTRY|SCENARIO|SIMULATION|STORE';
const CODE = new RegExp(`['"\`]((?:${AREAS})_[A-Z][A-Z_]*[A-Z]|USAGE)['"\`]`, 'g');
/** SQLite's and the operating system's own codes are compared with, not shown. */
const FOREIGN = /^(SQLITE_|E[A-Z]+$)|_(ROOT|MAX|MIN|MS)$/;

function codesInSource(): string[] {
  const codes = new Set<string>();
  for (const { text, isTest, room, path } of readSources()) {
    if (isTest || room === 'bench' || room === 'tests' || path.includes('/defaults')) continue;
    for (const [, code = ''] of text.matchAll(CODE)) if (!FOREIGN.test(code)) codes.add(code);
  }
  // Upper-case constants are written without quotes; what is left are codes.
  return [...codes].sort();
}

function codesInDocument(): string[] {
  const text = readFileSync(join(ROOT, 'docs', 'operations.md'), 'utf8');
  const table = text.slice(text.indexOf('<!-- codes'), text.indexOf('<!-- /codes'));
  return [...table.matchAll(/^\| `([A-Z_]+)` \| [^|]+ \| [^|]+ \|$/gm)].map(([, code = '']) => code).sort();
}

test('every code that a person can meet has one line in docs/operations.md, and no line is left over', () => {
  expect(codesInDocument()).toEqual(codesInSource());
});
