// What SQLite's errors mean for an outbox.
import type { OutboxFault } from './outbox.js';

/** The error's code; '' for one without. */
export function sqliteCode(error: unknown): string {
  return String((error as { code?: unknown } | null)?.code ?? '');
}

export function isFull(error: unknown): boolean {
  const code = sqliteCode(error);
  return code === 'SQLITE_FULL' || code === 'ENOSPC' || code === 'SQLITE_IOERR_WRITE';
}

/** What SQLite itself would throw, for damage that it cannot see. */
export function damage(message: string): Error {
  return Object.assign(new Error(message), { code: 'SQLITE_CORRUPT' });
}

/** Also a file that ends before it should. */
export function isDamaged(error: unknown): boolean {
  return /^SQLITE_(CORRUPT|NOTADB|IOERR_SHORT_READ)/.test(sqliteCode(error));
}

export function isLocked(error: unknown): boolean {
  return sqliteCode(error).startsWith('SQLITE_BUSY');
}

export function faultOf(error: unknown): OutboxFault {
  const message = error instanceof Error ? error.message : String(error);
  if (isFull(error)) return { code: 'OUTBOX_FULL', message };
  if (isLocked(error)) return { code: 'OUTBOX_LOCKED', message };
  return { code: 'OUTBOX_FAILED', message };
}
