// What a post is told: that its samples are stored, that some never will be, and which birth is missing. No delivery state
// is kept: a receipt that is lost or doubled is harmless.
import { encodeJson, type Receipt } from '#contract/session.js';
import { postTopic } from '#contract/topic.js';
import type { Clock } from '#domain/clock.js';
import type { Point } from '../ports.js';
import type { Complaints } from './complaints.js';
import type { PostEntry } from './directory.js';
import { groupBy } from './group-by.js';
import { type Lot, type Refusal, receiptsFor } from './ingest.js';
import type { StoredLot } from './writer.js';

export interface Receipter {
  /** The store holds these lots. */
  confirm(lots: readonly StoredLot[]): void;
  /** The answer to a birth: the time, which a post without a clock waits for. */
  greet(post: string): void;
  askForBirth(entry: PostEntry, birthNeeded: number): void;
  counters(): Readonly<Record<string, number>>;
}

/** Births of one post that may be asked for within a period: those of two gateways, and of what they sent before. */
const BIRTHS_ASKED_MAX = 4;

export function createReceipter(deps: {
  readonly fleet: string;
  readonly clock: Clock;
  readonly complaints: Complaints;
  readonly birthRequestPeriodMs: number;
  /** QoS 0; false when it could not be sent. */
  readonly send: (topic: string, payload: Buffer) => boolean;
}): Receipter {
  const { clock, complaints, fleet } = deps;
  const counters = { receiptsSent: 0, receiptsUnsent: 0, birthsAsked: 0, samplesRefused: 0 };

  function tell(post: string, receipt: Receipt): void {
    const sent = deps.send(postTopic(fleet, post, 'receipt'), encodeJson(receipt));
    if (sent) counters.receiptsSent += 1;
    else counters.receiptsUnsent += 1;
  }

  function confirmGroup(group: readonly StoredLot[]): void {
    const lots = group.map(({ lot }) => lot);
    const [first] = lots;
    if (first === undefined) return;
    const refusals = group.flatMap(refusalsOf);
    if (refusals.length > 0) {
      counters.samplesRefused += refusals.length;
      complaints.buryRefusals(first.post, first.epoch, refusals);
    }
    // What came by hand is answered to who brought it: the post did not send it.
    const sent = lots.filter(({ carried }) => carried !== true);
    const ofSent = sent.length === lots.length ? refusals : group.filter(({ lot }) => !lot.carried).flatMap(refusalsOf);
    for (const receipt of receiptsFor(first.epoch, sent, ofSent)) tell(first.post, receipt);
  }

  return {
    confirm(lots) {
      for (const group of groupBy(lots, ({ lot }) => `${lot.post}/${lot.epoch}`).values()) confirmGroup(group);
    },
    greet: (post) => tell(post, { stored: [], time: clock.now() }),
    askForBirth({ birthsAskedAt, id }, birthNeeded) {
      const now = clock.monotonic();
      for (const [number, at] of birthsAskedAt) if (now - at >= deps.birthRequestPeriodMs) birthsAskedAt.delete(number);
      if (birthsAskedAt.has(birthNeeded) || birthsAskedAt.size >= BIRTHS_ASKED_MAX) return;
      birthsAskedAt.set(birthNeeded, now);
      counters.birthsAsked += 1;
      tell(id, { stored: [], birthNeeded, time: clock.now() });
    },
    counters: () => counters,
  };
}

/** Of one lot: what its birth could not place, and what the store did not take. Points of no record are told to who sent them. */
export function refusalsOf({ lot, refused }: StoredLot): Refusal[] {
  const ofRecords = refused.filter(({ index }) => lot.records[index] !== undefined);
  return [...lot.refused, ...ofRecords.map(({ index, code }) => refusalOfPoint(lot, index, code))];
}

function refusalOfPoint({ records, points }: Lot, index: number, code: 'STORE_TYPE' | 'STORE_TIME'): Refusal {
  return { record: records[index] as number, code, sample: points[index] as Point };
}
