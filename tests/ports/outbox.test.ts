import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openSqliteOutbox } from '#gateway/outbox/sqlite-outbox.js';
import { MemoryOutbox } from '../support/memory-outbox.js';
import { describeOutbox } from './outbox.suite.js';

describeOutbox('SQLite', (settings) => {
  const folder = mkdtempSync(join(tmpdir(), 'oftob-outbox-'));
  const opened = openSqliteOutbox({
    file: join(folder, 'outbox.db'),
    reserveBytes: 1024,
    writeDelayMs: 10_000,
    ...settings,
  });
  if (!opened.ok) throw new Error(opened.fault.message);
  return {
    outbox: opened.value,
    dispose() {
      opened.value.close();
      rmSync(folder, { recursive: true });
    },
  };
});

describeOutbox('memory', (settings) => ({
  outbox: new MemoryOutbox({ epoch: '0123456789abcdef', ...settings }),
  dispose() {},
}));
