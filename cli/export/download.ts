// An export from the server to a file that is there whole, and checked, or not at all.
import { createReadStream, existsSync } from 'node:fs';
import { open, rename, rm } from 'node:fs/promises';
import { doorOf, parseJson } from '#contract/door.js';
import type { ExportTrailer } from '#contract/export.js';
import { ErrorSchema } from '#contract/http.js';
import { ok, type Result } from '#domain/result.js';
import { type CommandFault, fault } from '../command.js';
import { checkBytes } from './check.js';

const ANSWER_BYTES_MAX = 64 * 1024;
const errorDoor = doorOf(ErrorSchema);

/** @returns the trailer; `undefined` of a workbook, of which only the transfer is checked */
export async function download(url: URL, file: string): Promise<Result<ExportTrailer | undefined, CommandFault>> {
  if (existsSync(file)) return fault('EXPORT_FILE_EXISTS', `${file} is there already; choose another name`);
  const asked = await ask(url, 'GET');
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

/** A successful answer of the server, or what it says instead. */
export async function ask(url: URL, method: 'GET' | 'POST'): Promise<Result<Response, CommandFault>> {
  let answer: Response;
  try {
    answer = await fetch(url, { method });
  } catch (error) {
    const reason = (error as { cause?: Error }).cause?.message ?? (error as Error).message;
    return fault(
      'EXPORT_SERVER_UNREACHABLE',
      `no server answers at ${url.origin} (${reason}); start it, or name it with --server`,
    );
  }
  if (answer.ok) return ok(answer);
  const said = parseJson(errorDoor, Buffer.from(await answer.arrayBuffer()), ANSWER_BYTES_MAX);
  if (!said.ok)
    return fault(
      'EXPORT_SERVER_FOREIGN',
      `${url.origin} answered ${answer.status}, as no Oftob server does; look at --server`,
    );
  const { code, faults = [], message } = said.value;
  return fault(
    code,
    message,
    faults.map(({ message, path }) => `${path}: ${message}`),
  );
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
