// One device on a simulated bus: a profile, the world's values behind it, and its manners towards readers.
import type { Profile, Table } from '#profiles/profile.js';
import type { DeviceAnswer, ServedDevice } from '../serve/slave.js';
import { addressesIn, type ImageOptions, imageOf, type MetricSource, type RegisterImage } from './image.js';

const ILLEGAL_FUNCTION = 1;
const ILLEGAL_ADDRESS = 2;
const ILLEGAL_VALUE = 3;

export interface SimulatedDeviceOptions extends ImageOptions {
  /** True while the device has no supply and keeps silent. */
  readonly isAsleep?: () => boolean;
}

export interface SimulatedDevice extends ServedDevice {
  readonly profile: Profile;
  /** Words of this moment. */
  image(): RegisterImage;
  /** Reads that touched addresses which the profile forbids: a careful reader leaves it at 0. */
  forbiddenReads(): number;
}

/**
 * Makes a device that answers as its profile says: the profile's longest request, alignment and gaps are its limits.
 * Unlisted registers read 0 inside an allowed gap and are refused (exception 2) otherwise.
 * @param imageNow words of this moment; called at each read
 */
export function createDevice(
  profile: Profile,
  imageNow: () => RegisterImage,
  options: SimulatedDeviceOptions = {},
): SimulatedDevice {
  const known = addressesIn(profile, options.variant);
  const { protocol } = profile;
  let forbiddenReads = 0;
  const read = (table: Table, requested: number, count: number): DeviceAnswer => {
    if (options.isAsleep?.() === true) return { silent: true };
    const addresses: ReadonlySet<number> = known[table];
    if (addresses.size === 0) return { exception: ILLEGAL_FUNCTION };
    if (count > protocol.maxRegisters) return { exception: ILLEGAL_VALUE };
    const alignment = protocol.alignment ?? 1;
    if (requested % alignment !== 0 || count % alignment !== 0) return { exception: ILLEGAL_ADDRESS };
    const start = isByteAddressed(profile) ? requested / 2 : requested;
    if (!Number.isInteger(start)) return { exception: ILLEGAL_ADDRESS };
    if (isForbidden(profile, table, start, count)) {
      forbiddenReads += 1;
      return { exception: ILLEGAL_ADDRESS };
    }
    if (longestGap(addresses, start, count) > protocol.allowedGap) return { exception: ILLEGAL_ADDRESS };
    const words: ReadonlyMap<number, number> = imageNow()[table];
    return { words: Array.from({ length: count }, (_, index) => words.get(start + index) ?? 0) };
  };
  return {
    profile,
    read,
    image: imageNow,
    forbiddenReads: () => forbiddenReads,
    identification: () =>
      new Map([
        [0, profile.maker],
        [1, profile.id],
        [2, '1.0'],
        [4, profile.model],
      ]),
    pauseMs: protocol.pauseMs,
    ...(protocol.replyUnit === undefined ? {} : { replyUnit: protocol.replyUnit }),
  };
}

/** A device over a plain source of values, encoded anew at each read. */
export function createDeviceOf(
  profile: Profile,
  values: MetricSource,
  options: SimulatedDeviceOptions = {},
): SimulatedDevice {
  return createDevice(profile, () => imageOf(profile, values, options), options);
}

function isByteAddressed(profile: Profile): boolean {
  const addressing: string | undefined = profile.protocol.addressing;
  return addressing === 'byte';
}

function isForbidden(profile: Profile, table: Table, start: number, count: number): boolean {
  return (profile.forbidden ?? []).some(
    (range) => (range.table ?? profile.protocol.table) === table && start <= range.to && start + count > range.from,
  );
}

/** Longest run of unlisted addresses in a request. */
function longestGap(known: ReadonlySet<number>, start: number, count: number): number {
  let longest = 0;
  let run = 0;
  for (let address = start; address < start + count; address += 1) {
    run = known.has(address) ? 0 : run + 1;
    longest = Math.max(longest, run);
  }
  return longest;
}
