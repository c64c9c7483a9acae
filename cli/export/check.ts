// Whether a file of exported data is what the server made: its last line proves the rest of it.
import { createHash } from 'node:crypto';
import { type ExportTrailer, parseTrailer } from '#contract/export.js';
import type { Result } from '#domain/result.js';
import { ok } from '#domain/result.js';
import { type CommandFault, fault } from '../command.js';

/** The longest trailer is shorter. */
const TAIL_BYTES = 256;

/**
 * Of a file's bytes, from start to end. `EXPORT_CUT_OFF`: there is no trailer. `EXPORT_CHANGED`: the bytes before it are not those that it
 * was made of. `EXPORT_WORKBOOK`: a workbook has no last line. Throws what the disk throws.
 */
export async function checkBytes(
  file: string,
  bytes: AsyncIterable<Uint8Array>,
): Promise<Result<ExportTrailer, CommandFault>> {
  const hash = createHash('sha256');
  let tail: Buffer = Buffer.alloc(0);
  let length = 0;
  for await (const chunk of bytes) {
    const all = Buffer.concat([tail, chunk]);
    if (length === 0 && all.subarray(0, 2).toString('latin1') === 'PK')
      return fault(
        'EXPORT_WORKBOOK',
        `${file} is a workbook: its last sheet tells rows and SHA-256; CSV proves itself`,
      );
    length += chunk.length;
    const done = Math.max(0, all.length - TAIL_BYTES);
    hash.update(all.subarray(0, done));
    tail = all.subarray(done);
  }
  const lastLine = tail.lastIndexOf(0x0a, Math.max(0, tail.length - 2)) + 1;
  const trailer = parseTrailer(tail.subarray(lastLine).toString('utf8'));
  if (trailer === undefined)
    return fault('EXPORT_CUT_OFF', `${file} has no last line with rows and SHA-256: it was cut off; export it again`);
  if (hash.update(tail.subarray(0, lastLine)).digest('hex') === trailer.sha256) return ok(trailer);
  return fault('EXPORT_CHANGED', `${file} was changed after it was made: its SHA-256 is another one`);
}
