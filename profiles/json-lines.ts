// Where in a JSON text each value stands, so that a fault can name its line. Strict as RFC 8259, and doubled keys are a fault.

export interface JsonFault {
  readonly line: number;
  readonly message: string;
}

export type ParsedJson =
  | { readonly ok: true; readonly value: unknown; readonly lineOf: (path: string) => number | undefined }
  | { readonly ok: false; readonly fault: JsonFault };

/** Deeper than any profile; keeps a hostile file from exhausting the stack. */
const DEPTH_MAX = 64;

interface Cursor {
  readonly text: string;
  readonly starts: Map<string, number>;
  offset: number;
}

class Unreadable extends Error {
  readonly offset: number;
  constructor(offset: number, message: string) {
    super(message);
    this.offset = offset;
  }
}

/**
 * Parses JSON text and remembers the line of every value by its JSON pointer (`/registers/3/unit`). A pointer to something
 * that is absent gives the line of the nearest thing around it.
 */
export function parseJsonWithLines(text: string): ParsedJson {
  const cursor: Cursor = { text, starts: new Map(), offset: 0 };
  try {
    skipSpace(cursor);
    const value = readValue(cursor, '', 0);
    skipSpace(cursor);
    if (cursor.offset < text.length) throw new Unreadable(cursor.offset, 'has more text after its end');
    return { ok: true, value, lineOf: (path) => lineOfPointer(cursor, path) };
  } catch (error) {
    if (!(error instanceof Unreadable)) throw error;
    return { ok: false, fault: { line: lineAt(text, error.offset), message: `is not JSON: ${error.message}` } };
  }
}

function lineAt(text: string, offset: number): number {
  let line = 1;
  for (let index = text.indexOf('\n'); index >= 0 && index < offset; index = text.indexOf('\n', index + 1)) line += 1;
  return line;
}

function lineOfPointer(cursor: Cursor, path: string): number | undefined {
  for (let pointer = path === '/' ? '' : path; ; pointer = pointer.slice(0, pointer.lastIndexOf('/'))) {
    const start = cursor.starts.get(pointer);
    if (start !== undefined) return lineAt(cursor.text, start);
    if (pointer === '' || !pointer.includes('/')) return undefined;
  }
}

function skipSpace(cursor: Cursor): void {
  while (' \t\n\r'.includes(cursor.text[cursor.offset] ?? '!')) cursor.offset += 1;
}

function readValue(cursor: Cursor, pointer: string, depth: number): unknown {
  if (depth > DEPTH_MAX) throw new Unreadable(cursor.offset, `is nested deeper than ${DEPTH_MAX}`);
  cursor.starts.set(pointer, cursor.offset);
  const first = cursor.text[cursor.offset];
  if (first === '{') return readObject(cursor, pointer, depth);
  if (first === '[') return readArray(cursor, pointer, depth);
  if (first === '"') return readString(cursor);
  return readWord(cursor);
}

function readObject(cursor: Cursor, pointer: string, depth: number): Record<string, unknown> {
  const entries = new Map<string, unknown>();
  cursor.offset += 1;
  skipSpace(cursor);
  if (take(cursor, '}')) return {};
  for (;;) {
    const at = cursor.offset;
    if (cursor.text[at] !== '"') throw new Unreadable(at, 'expected a name in double quotes');
    const key = readString(cursor);
    if (entries.has(key)) throw new Unreadable(at, `has "${key}" twice`);
    skipSpace(cursor);
    if (!take(cursor, ':')) throw new Unreadable(cursor.offset, `expected ":" after "${key}"`);
    skipSpace(cursor);
    entries.set(key, readValue(cursor, `${pointer}/${escapeKey(key)}`, depth + 1));
    skipSpace(cursor);
    if (take(cursor, '}')) return Object.fromEntries(entries);
    if (!take(cursor, ',')) throw new Unreadable(cursor.offset, `expected "," or "}" after the value of "${key}"`);
    skipSpace(cursor);
  }
}

function readArray(cursor: Cursor, pointer: string, depth: number): unknown[] {
  const values: unknown[] = [];
  cursor.offset += 1;
  skipSpace(cursor);
  if (take(cursor, ']')) return values;
  for (;;) {
    values.push(readValue(cursor, `${pointer}/${values.length}`, depth + 1));
    skipSpace(cursor);
    if (take(cursor, ']')) return values;
    if (!take(cursor, ',')) throw new Unreadable(cursor.offset, 'expected "," or "]" in the list');
    skipSpace(cursor);
  }
}

function readString(cursor: Cursor): string {
  const start = cursor.offset;
  const closed = /"(?:[^"\\]|\\.)*"/sy;
  closed.lastIndex = start;
  const match = closed.exec(cursor.text);
  if (!match) throw new Unreadable(start, 'has text without a closing quote');
  return scalar(cursor, start, match[0], 'has text that JSON does not allow') as string;
}

function readWord(cursor: Cursor): unknown {
  const start = cursor.offset;
  const word = /[^\s,:{}[\]"]*/y;
  word.lastIndex = start;
  const text = word.exec(cursor.text)?.[0] ?? '';
  if (text === '')
    throw new Unreadable(
      start,
      start >= cursor.text.length ? 'it ends too early' : `unexpected "${cursor.text[start]}"`,
    );
  return scalar(cursor, start, text, `"${text.slice(0, 20)}" is no JSON value`);
}

function scalar(cursor: Cursor, start: number, text: string, message: string): unknown {
  try {
    const value: unknown = JSON.parse(text);
    cursor.offset = start + text.length;
    return value;
  } catch {
    throw new Unreadable(start, message);
  }
}

function take(cursor: Cursor, character: string): boolean {
  if (cursor.text[cursor.offset] !== character) return false;
  cursor.offset += 1;
  return true;
}

function escapeKey(key: string): string {
  return key.replaceAll('~', '~0').replaceAll('/', '~1');
}
