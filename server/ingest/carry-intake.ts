// Data that came by hand: placed by the births that came with it, written as late data, and confirmed to who brought it.
import { type DataPayload, decodeData } from '#contract/data.js';
import type { Birth } from '#contract/session.js';
import { ok, type Result } from '#domain/result.js';
import type { StoreFault } from '../ports.js';
import type { MetricsByIndex } from './birth-shelf.js';
import type { Complaints } from './complaints.js';
import { indexBirth, type Lot, placePayload } from './ingest.js';
import { offerPatiently, type PatienceDeps } from './patience.js';
import { refusalsOf } from './receipter.js';

/** Samples of one payload. Those that are in neither count are stored already under the same name, or are being stored now. */
export interface CarriedCounts {
  readonly stored: number;
  readonly refused: number;
}

/** Takes one file, whose signature was checked. */
export interface CarryIntake {
  /** Comes before the data under it. The fault says what contradicts itself in the birth. */
  birth(birth: Birth): Result<void, string>;
  /**
   * Resolves after the store has confirmed the payload. One that cannot be read is a dead letter, and counts nothing. Waits for a
   * store that does not answer, and for room behind the data that comes by radio; a fault after a minute of that.
   */
  data(bytes: Uint8Array): Promise<Result<CarriedCounts, StoreFault>>;
}

export interface CarryIntakeDeps extends PatienceDeps {
  readonly complaints: Complaints;
}

const NOTHING: CarriedCounts = { stored: 0, refused: 0 };

export function createCarryIntake(post: string, deps: CarryIntakeDeps): CarryIntake {
  const { complaints } = deps;
  const births = new Map<number, MetricsByIndex>();

  function bury(code: string, bytes: Uint8Array, message: string): Result<CarriedCounts, StoreFault> {
    complaints.bury(code, `import/${post}`, Buffer.from(bytes), message);
    return ok(NOTHING);
  }

  return {
    birth(birth) {
      const placing = indexBirth(birth);
      if (!placing.ok) return placing;
      births.set(placing.value.number, placing.value.metrics);
      return ok(undefined);
    },
    async data(bytes) {
      const decoded = decodeData(bytes);
      if (!decoded.ok) return bury(decoded.fault.code, bytes, decoded.fault.message);
      const metrics = births.get(decoded.value.birth);
      if (metrics === undefined) return bury('INGEST_BIRTH_UNKNOWN', bytes, `birth ${decoded.value.birth} is missing`);
      const lot = carriedLot(post, decoded.value, metrics);
      const outcome = await offerPatiently(lot, deps);
      if (!outcome.ok) return outcome;
      const refused = refusalsOf({ lot, refused: outcome.value }).length;
      return ok({ refused, stored: lot.points.length - outcome.value.length });
    },
  };
}

function carriedLot(post: string, payload: DataPayload, metrics: MetricsByIndex): Lot {
  return { ...placePayload(post, { ...payload, historical: true }, metrics), carried: true };
}
