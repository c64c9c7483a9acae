// An export from the server to a file that is there whole, and checked, or not at all.
import { createReadStream, existsSync } from 'node:fs';
import { open, rename, rm } from 'node:fs/promises';
import type { ExportTrailer } from '#contract/export.js';
import { ok, type Result } from '#domain/result.js';
import { type CommandFault, fault } from '../command.js';
import { askServer } from '../server-door.js';
import { checkBytes } from './check.js';

const EXPORT_CODES = { unreachable: 'EXPORT_SERVER_UNREACHABLE', foreign: 'EXPORT_SERVER_FOREIGN' };

/** @returns the trailer; `undefined` of a workbook, of which only the transfer is checked */
export async function download(url: URL, file: string): Promise<Result<ExportTrailer | undefined, CommandFault>> {
  if (existsSync(file)) return fault('EXPORT_FILE_EXISTS', `${file} is there already; choose another name`);
  const asked = await askServer(url, {}, EXPORT_CODES);
  if (!asked.ok) return asked;
  const part = `${file}.part`;
  try {
    const written = await save(asked.value.body ?? [], part);
    if (!written.ok) return written;
    const isText = asked.value.headers.get('content-type')?.includes('sheet') !== true;
    const checked = isText ? await checkBytes(file, createReadStream(part)) : ok(undefined);
    if (checked.ok) await rename(part, file);
    return checked;
  } catch (error) {
    return fault('EXPORT_UNWRITABLE', `cannot write ${file}: ${(error as Error).message}`);
  } finally {
    await rm(part, { force: true });
  }
}

async function save(
  body: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  part: string,
): Promise<Result<undefined, CommandFault>> {
  const handle = await open(part, 'w');
  try {
    for await (const chunk of guarded(body)) {
      if (!(chunk instanceof Uint8Array)) return chunk;
      for (let at = 0; at < chunk.length; ) at += (await handle.write(chunk, at)).bytesWritten;
    }
    await handle.sync();
    return ok(undefined);
  } finally {
    await handle.close();
  }
}

/** A connection that breaks is a fault of its own, and none of the disk. */
async function* guarded(
  body: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
): AsyncGenerator<Uint8Array | ReturnType<typeof fault>> {
  try {
    for await (const chunk of body) yield chunk;
  } catch (error) {
    yield fault('EXPORT_CUT_OFF', `the server broke off in the middle (${(error as Error).message}); export again`);
  }
}
