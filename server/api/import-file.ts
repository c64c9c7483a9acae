// A carried file from a stream to the store: spooled and checked as a whole first, so that nothing of a bad file is stored.
import { randomBytes } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { type FileHandle, mkdir, open, readdir, rm, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { type CarryFault, type CarryFrame, type CarrySummary, createCarryReader, readCarry } from '#contract/carry.js';
import { IMPORT_BYTES_MAX, type ImportResponse } from '#contract/http.js';
import { failed, ok, type Result } from '#domain/result.js';
import type { CarryIntake } from '../ingest/carry-intake.js';
import type { IngestFault } from '../ingest/ingest-engine.js';
import type { StoreFault } from '../ports.js';
import type { AppDeps } from './deps.js';

/**
 * The codes of the file's form, of the ingest and of the store, and: `IMPORT_TOO_LARGE`, `IMPORT_FLEET_FOREIGN` (the data of
 * another fleet), `IMPORT_CUT_OFF` (the connection ended), `IMPORT_BIRTH` (a birth that contradicts itself).
 */
export interface ImportFault {
  readonly code:
    | CarryFault['code']
    | IngestFault['code']
    | StoreFault['code']
    | 'IMPORT_TOO_LARGE'
    | 'IMPORT_FLEET_FOREIGN'
    | 'IMPORT_CUT_OFF'
    | 'IMPORT_BIRTH';
  readonly message: string;
}

export interface ImportDeps extends Pick<AppDeps, 'fleet' | 'spoolFolder' | 'log'> {
  readonly ingest: Pick<AppDeps['ingest'], 'mayCarry' | 'openCarry'>;
  /** Largest file; {@link IMPORT_BYTES_MAX} where absent. */
  readonly importBytesMax?: number | undefined;
  /** Room that must be left beside the file; 128 MB where absent. */
  readonly leftBytesMin?: number | undefined;
}

const SPOOL = /^import-[0-9a-f]+\.part$/;
/** Payloads that are on their way to the store at once: enough to share its writes, little in memory. */
const IN_FLIGHT_MAX = 4;

/** Disk that a spooled file leaves to the store, and after how many bytes it is looked at. */
const LEFT_BYTES_MIN = 128 * 1024 * 1024;
const LOOK_BYTES = 8 * 1024 * 1024;
const NO_ROOM: ImportFault = {
  code: 'STORE_FULL',
  message: 'the data folder has no room for the file; free space, and import it again',
};

/** Takes a file from a request. Resolves after the store has confirmed all of it, or with why not; then what it stored stays stored. */
export async function importCarried(body: Readable, deps: ImportDeps): Promise<Result<ImportResponse, ImportFault>> {
  // It may fail before anybody reads it, and says so again to who does.
  body.on('error', () => undefined);
  const path = join(deps.spoolFolder, `import-${randomBytes(6).toString('hex')}.part`);
  try {
    await mkdir(deps.spoolFolder, { recursive: true });
    const checked = await spool(body, path, deps);
    if (!checked.ok) return checked;
    const { post, publicKey } = checked.value.header;
    const intake = deps.ingest.openCarry(post, publicKey);
    if (!intake.ok) return intake;
    const stored = await feed(path, intake.value);
    if (!stored.ok) return stored;
    const { records, samples } = checked.value.totals;
    const answer: ImportResponse = { records, samples, stored: stored.value, refused: samples - stored.value };
    deps.log.info({ post, ...answer, sha256: checked.value.sha256 }, 'Data that was carried by hand is stored');
    return ok(answer);
  } catch (error) {
    return failed(diskFault(error));
  } finally {
    // What was not read is let go of, so that the answer can go out.
    body.resume();
    await rm(path, { force: true }).catch(() => undefined);
  }
}

/** Removes what a crash in the middle of an import left. */
export async function clearSpool(folder: string): Promise<void> {
  const names = await readdir(folder).catch(() => []);
  for (const name of names) if (SPOOL.test(name)) await rm(join(folder, name), { force: true });
}

async function spool(body: Readable, path: string, deps: ImportDeps): Promise<Result<CarrySummary, ImportFault>> {
  const bytesMax = deps.importBytesMax ?? IMPORT_BYTES_MAX;
  const reader = createCarryReader();
  const file = await open(path, 'wx', 0o600);
  try {
    let bytes = 0;
    let lookAt = 0;
    for await (const chunk of chunksOf(body)) {
      bytes += chunk.length;
      if (bytes > bytesMax)
        return failed({
          code: 'IMPORT_TOO_LARGE',
          message: `the file is larger than ${bytesMax} bytes; export it in parts`,
        });
      if (bytes >= lookAt && !(await hasRoom(deps))) return failed(NO_ROOM);
      lookAt = bytes >= lookAt ? bytes + LOOK_BYTES : lookAt;
      const frames = reader.push(chunk);
      if (!frames.ok) return frames;
      for (const frame of frames.value) {
        const fault = faultOfFrame(frame, deps);
        if (fault !== undefined) return failed(fault);
      }
      await writeAll(file, chunk);
    }
    return reader.end();
  } catch (error) {
    if (isDiskError(error)) throw error;
    return failed({ code: 'IMPORT_CUT_OFF', message: 'the connection ended before the file did; import it again' });
  } finally {
    await file.close();
  }
}

async function hasRoom({ leftBytesMin = LEFT_BYTES_MIN, spoolFolder }: ImportDeps): Promise<boolean> {
  const disk = await statfs(spoolFolder);
  return disk.bavail * disk.bsize >= leftBytesMin;
}

async function* chunksOf(body: Readable): AsyncGenerator<Uint8Array> {
  for await (const chunk of body.iterator({ destroyOnReturn: false })) yield chunk as Uint8Array;
}

async function writeAll(file: FileHandle, chunk: Uint8Array): Promise<void> {
  for (let at = 0; at < chunk.length; ) at += (await file.write(chunk, at)).bytesWritten;
}

/** What already the frames tell, before the end was read: a file of the wrong fleet need not be sent to its end. */
function faultOfFrame(frame: CarryFrame, { fleet, ingest }: ImportDeps): ImportFault | undefined {
  if (frame.type !== 'header') return undefined;
  const { header } = frame;
  if (header.fleet !== fleet)
    return {
      code: 'IMPORT_FLEET_FOREIGN',
      message: `the file is of the fleet "${header.fleet}", this server is of "${fleet}"`,
    };
  const may = ingest.mayCarry(header.post, header.publicKey);
  return may.ok ? undefined : may.fault;
}

/** The checked file, a few payloads at a time. Gives the number of samples that the store has confirmed. */
async function feed(path: string, intake: CarryIntake): Promise<Result<number, ImportFault>> {
  let stored = 0;
  let fault: ImportFault | undefined;
  const inFlight = new Set<Promise<void>>();
  const take = async (frame: CarryFrame): Promise<void> => {
    if (fault !== undefined) return;
    if (frame.type === 'birth') {
      const taken = intake.birth(frame.birth);
      if (!taken.ok)
        fault = { code: 'IMPORT_BIRTH', message: `a birth in the file contradicts itself: ${taken.fault}` };
    }
    if (frame.type !== 'data') return;
    const writing = intake.data(frame.bytes).then((outcome) => {
      if (outcome.ok) stored += outcome.value.stored;
      else fault ??= outcome.fault;
      inFlight.delete(writing);
    });
    inFlight.add(writing);
    if (inFlight.size >= IN_FLIGHT_MAX) await Promise.race(inFlight);
  };
  const read = await readCarry(createReadStream(path), take);
  await Promise.all(inFlight);
  if (fault !== undefined) return failed(fault);
  return read.ok ? ok(stored) : read;
}

function isDiskError(error: unknown): boolean {
  return (
    (error as NodeJS.ErrnoException).syscall !== undefined && (error as NodeJS.ErrnoException).code !== 'ECONNRESET'
  );
}

function diskFault(error: unknown): ImportFault {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === 'ENOSPC') return NO_ROOM;
  if (code === undefined) throw error;
  return { code: 'STORE_UNAVAILABLE', message: `the data folder cannot be written: ${message}` };
}
