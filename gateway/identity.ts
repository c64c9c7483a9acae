// Who this gateway is: its key, made at the first start, and the numbers that must never fall back.
import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  randomBytes,
  randomInt,
} from 'node:crypto';
import { closeSync, fsyncSync, mkdirSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { failed, ok, type Result } from '#domain/result.js';

export interface IdentityFault {
  /** `IDENTITY_UNREADABLE`: a file is there and is none of ours. `IDENTITY_UNWRITABLE`: the folder cannot be written. */
  readonly code: 'IDENTITY_UNREADABLE' | 'IDENTITY_UNWRITABLE';
  readonly message: string;
}

export interface Identity {
  readonly privateKey: KeyObject;
  /** Ed25519, SPKI, base64. */
  readonly publicKey: string;
  readonly births: RisingNumber;
  readonly connections: RisingNumber;
}

/** Numbers that rise over every restart, also over one on a copy of this disk. */
export interface RisingNumber {
  /**
   * A number above every one that was given before, and not below {@link leastNumberAt} of the time where that is known. Its low
   * bits are random: two gateways on copies of one disk practically never draw the same. On the disk before it is given; where the
   * disk takes nothing, the number is given all the same, and the time of day keeps the next start from repeating it.
   * @param atLeast lifts the number; 0 where the time is unknown
   */
  next(atLeast: number): number;
}

/** So many numbers belong to each second. With any time that a clock can tell, numbers stay below 2^53. */
const NUMBERS_PER_S = 1024;

/** Numbers rise with the time of day, so that a disk restored from a backup does not repeat them. `at` is epoch ms. */
export function leastNumberAt(at: number | undefined): number {
  return Math.floor(Math.max(0, at ?? 0) / 1000) * NUMBERS_PER_S;
}

/** 16 hexadecimal characters for one start of the gateway. */
export function drawEpoch(): string {
  return randomBytes(8).toString('hex');
}

/**
 * Reads the identity in `folder`, making what is missing. The key is readable by its owner alone.
 * @param tell is told once each time that the disk begins to refuse numbers
 */
export function openIdentity(folder: string, tell: TellFault = () => {}): Result<Identity, IdentityFault> {
  const keyFile = join(folder, 'gateway.key');
  try {
    mkdirSync(folder, { recursive: true });
    if (readText(keyFile) === undefined) {
      const { privateKey } = generateKeyPairSync('ed25519');
      writeDurably(keyFile, privateKey.export({ format: 'pem', type: 'pkcs8' }).toString());
    }
  } catch (error) {
    return failed({ code: 'IDENTITY_UNWRITABLE', message: (error as Error).message });
  }
  try {
    const privateKey = createPrivateKey(readText(keyFile) ?? '');
    if (privateKey.asymmetricKeyType !== 'ed25519') throw new Error('is no Ed25519 key');
    const publicKey = createPublicKey(privateKey).export({ format: 'der', type: 'spki' }).toString('base64');
    return ok({
      privateKey,
      publicKey,
      births: openRisingNumber(join(folder, 'birth-number'), 1, { tell }),
      connections: openRisingNumber(join(folder, 'connection-number'), CONNECTIONS_AHEAD, { tell }),
    });
  } catch (error) {
    return failed({ code: 'IDENTITY_UNREADABLE', message: `${keyFile}: ${(error as Error).message}` });
  }
}

/** An hour of numbers. A post that cannot connect tries every minute: its flash card is not written each time. */
const CONNECTIONS_AHEAD = 3600 * NUMBERS_PER_S;

type TellFault = (fault: IdentityFault) => void;

export interface RisingNumberOptions {
  /** The random low part, 0 to 1023. */
  readonly draw?: () => number;
  readonly tell?: TellFault;
}

/**
 * The file holds the end of the block that may be in use, so that a crash skips numbers and never repeats one.
 * Throws where the file is there and holds no number.
 * @param block numbers that are taken ahead with each write
 */
export function openRisingNumber(
  file: string,
  block: number,
  { draw = () => randomInt(NUMBERS_PER_S), tell = () => {} }: RisingNumberOptions = {},
): RisingNumber {
  const text = readText(file)?.trim();
  let reserved = text === undefined ? 0 : Number(text);
  if (!Number.isSafeInteger(reserved) || reserved < 0 || text === '') throw new Error(`${file} holds no number`);
  let last = reserved;
  let isRefused = false;
  return {
    next(atLeast) {
      const number = Math.max(last + 1, Math.floor(atLeast)) + draw();
      if (number > reserved) {
        const fault = tryToWrite(file, `${number + block - 1}\n`);
        if (fault === undefined) reserved = number + block - 1;
        else if (!isRefused) tell(fault);
        isRefused = fault !== undefined;
      }
      last = number;
      return number;
    },
  };
}

function readText(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

function tryToWrite(file: string, text: string): IdentityFault | undefined {
  try {
    writeDurably(file, text);
    return undefined;
  } catch (error) {
    return { code: 'IDENTITY_UNWRITABLE', message: (error as Error).message };
  }
}

/** After a power cut there is the old text or the new one, never a half. */
function writeDurably(file: string, text: string): void {
  const temporary = `${file}.new`;
  const handle = openSync(temporary, 'w', 0o600);
  try {
    writeSync(handle, text);
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
  renameSync(temporary, file);
  const folder = openSync(dirname(file), 'r');
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}
