// The backlog of a post as one signed file.
import { type CarriedCounts, type CarryTotals, type CarryWriter, createCarryWriter } from '#contract/carry.js';
import type { ClockQuality } from '#domain/clock.js';
import { ok, type Result } from '#domain/result.js';
import type { GatewayConfig } from '#gateway/config.js';
import { type Identity, leastNumberAt } from '#gateway/identity.js';
import type { OutboxRecord } from '#gateway/ports.js';
import { postFactsOf } from '#gateway/record/post-facts.js';
import { catalogueOf, makeBirth, type NumberedBirth } from '#gateway/uplink/birth.js';
import { cutPayload } from '#gateway/uplink/payload.js';
import type { LoadedProfile } from '#profiles/catalog.js';
import { type CommandFault, fault } from '../command.js';
import { type Damage, damageOf } from './damage.js';
import type { DataFolder } from './data-folder.js';
import { keptRecords } from './kept-records.js';

export interface ExportRequest {
  readonly config: GatewayConfig;
  readonly profiles: ReadonlyMap<string, LoadedProfile>;
  /** Of this software. */
  readonly software: string;
  readonly now: number;
  readonly clock: ClockQuality;
  /** Epoch ms: only records made since then. */
  readonly since?: number;
  /** With what the server has confirmed and the outbox still keeps. */
  readonly receipted: boolean;
}

export interface Exported {
  readonly totals: CarryTotals;
  /** Records whose time is not known yet. */
  readonly untimed: number;
  /** Records that no payload can carry. */
  readonly unfit: number;
  readonly damage: Damage | undefined;
}

/** What a payload is cut from: a little more than fits. */
const SAMPLES_PER_CUT = 6000;

/**
 * Writes what waits in the outbox, or all that it keeps, through `append`. Nothing in the outbox changes by it. Faults: `LINK_BIRTH_TOO_LARGE`,
 * `IDENTITY_UNWRITABLE`. Throws what `append` throws.
 */
export function exportBacklog(
  { outbox, identity }: DataFolder,
  request: ExportRequest,
  append: (bytes: Uint8Array) => void,
): Result<Exported, CommandFault> {
  const { config, now, since = 0 } = request;
  const number = birthNumber(identity, request);
  if (!number.ok) return number;
  const birth = birthOf({ outbox, identity }, request, number.value);
  if (!birth.fits)
    return fault(
      'LINK_BIRTH_TOO_LARGE',
      'the post has more metrics than fit into one birth; split its devices over two gateways',
    );
  const header = {
    fleet: config.fleet,
    post: config.post,
    publicKey: identity.publicKey,
    createdAt: now,
    software: request.software,
    ...(request.since !== undefined && { since }),
    receipted: request.receipted,
  };
  const writer = createCarryWriter(header, identity.privateKey, append);
  writer.addBirth(birth.bytes);
  let unfit = 0;
  for (const records of keptRecords(outbox, request.receipted)) {
    const wanted = records.filter(({ at }) => at !== undefined && at >= since);
    unfit += writeRecords(writer, birth, wanted);
  }
  return ok({ totals: writer.finish(), untimed: outbox.status().untimedRecords, unfit, damage: damageOf(outbox) });
}

function birthNumber({ births }: Identity, { clock, now }: ExportRequest): Result<number, CommandFault> {
  try {
    return ok(births.next(leastNumberAt(clock === 'unknown' ? undefined : now)));
  } catch (error) {
    return fault('IDENTITY_UNWRITABLE', (error as Error).message);
  }
}

/** A birth of its own number: metrics that are measured no longer are told too, as long as records of them wait. */
function birthOf({ outbox, identity }: DataFolder, request: ExportRequest, number: number): NumberedBirth {
  const { config, now, clock } = request;
  const facts = postFactsOf(config, request.profiles);
  const retired = outbox.declare(catalogueOf(facts));
  const { epoch, start } = outbox;
  const { publicKey } = identity;
  return makeBirth(
    { version: request.software, publicKey, epoch, start, batchPeriodMs: config.batchPeriodMs, ...facts },
    retired,
    { number, at: now, clock },
  );
}

/** Gives how many records no payload can carry. */
function writeRecords(writer: CarryWriter, birth: NumberedBirth, records: readonly OutboxRecord[]): number {
  let unfit = 0;
  for (let begin = 0; begin < records.length; ) {
    const part = firstOf(records, begin);
    const { payload, refused } = cutPayload(part, birth, true);
    const sent = new Set(payload?.ids);
    const refusedIds = new Set(refused.map(({ id }) => id));
    if (payload !== undefined) writer.addData(payload.bytes, countsOf(part.filter(({ id }) => sent.has(id))));
    // Payloads are cut from the front: from the first record that was neither sent nor refused on, it is for the next.
    const left = part.findIndex(({ id }) => !sent.has(id) && !refusedIds.has(id));
    const taken = left === -1 ? part.length : left;
    unfit += part.slice(0, taken).filter(({ id }) => refusedIds.has(id)).length;
    begin += taken;
  }
  return unfit;
}

function firstOf(records: readonly OutboxRecord[], begin: number): readonly OutboxRecord[] {
  let samples = 0;
  let end = begin;
  while (end < records.length && (end === begin || samples < SAMPLES_PER_CUT)) {
    samples += records[end]?.samples.length ?? 0;
    end += 1;
  }
  return records.slice(begin, end);
}

function countsOf(records: readonly OutboxRecord[]): CarriedCounts {
  let samples = 0;
  let from = Number.POSITIVE_INFINITY;
  let to = Number.NEGATIVE_INFINITY;
  for (const record of records)
    for (const { at } of record.samples) {
      samples += 1;
      from = Math.min(from, at);
      to = Math.max(to, at);
    }
  return { records: records.length, samples, from, to };
}
