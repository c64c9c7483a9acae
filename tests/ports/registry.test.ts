import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import type { Registry } from '#server/ports.js';
import { createSqliteRegistry } from '#server/store/sqlite-registry.js';
import { describeRegistry } from './registry.suite.js';

const root = mkdtempSync(join(tmpdir(), 'oftob-registry-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

let count = 0;
function openRegistry(): Registry {
  const opened = createSqliteRegistry({ folder: join(root, String(count)) });
  if (!opened.ok) throw new Error(opened.fault.message);
  return opened.value;
}

describeRegistry('the registry in SQLite', {
  open: () => {
    count += 1;
    return openRegistry();
  },
  reopen: openRegistry,
});

test('a registry that is open already is a fault', () => {
  const first = openRegistry();
  expect(createSqliteRegistry({ folder: join(root, String(count)) })).toMatchObject({
    ok: false,
    fault: { code: 'STORE_UNAVAILABLE' },
  });
  first.close();
});
