// A file as a gateway writes it, in memory.
import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { createCarryWriter } from '#contract/carry.js';
import { type DataSample, encodeData } from '#contract/data.js';
import { type Birth, encodeJson } from '#contract/session.js';
import { meterBirth, NOON } from './fake-server.js';

export interface TestKey {
  readonly publicKey: string;
  readonly privateKey: KeyObject;
}

export function makeKey(): TestKey {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  return { privateKey, publicKey: publicKey.export({ format: 'der', type: 'spki' }).toString('base64') };
}

export interface CarriedOptions {
  readonly fleet?: string;
  readonly post?: string;
  readonly birth?: Partial<Birth>;
  /** Each list is a payload. */
  readonly payloads: readonly (readonly DataSample[])[];
  /** Bytes in place of a payload that is encoded. */
  readonly rubbish?: readonly Buffer[];
  readonly epoch?: string;
}

export function carriedBirth({ publicKey }: TestKey, overrides: Partial<Birth> = {}): Birth {
  const gateway = { version: '0.1.0', publicKey, epoch: '00112233445566aa', start: 3 };
  return meterBirth({ birth: 41, gateway, ...overrides });
}

export function carriedFile(key: TestKey, options: CarriedOptions): Buffer {
  const { epoch = '0123456789abcdef', fleet = 'pamir', payloads, post = 'kyzyl-art', rubbish = [] } = options;
  const chunks: Uint8Array[] = [];
  const header = { fleet, post, publicKey: key.publicKey, createdAt: NOON, software: '0.1.0', receipted: false };
  const writer = createCarryWriter(header, key.privateKey, (bytes) => chunks.push(Buffer.from(bytes)));
  const birth = carriedBirth(key, options.birth);
  writer.addBirth(encodeJson(birth));
  for (const samples of payloads)
    writer.addData(encodeData({ birth: birth.birth, epoch, historical: true, samples: [...samples] }), {
      records: new Set(samples.map(({ record }) => record)).size,
      samples: samples.length,
      from: Math.min(...samples.map(({ at }) => at)),
      to: Math.max(...samples.map(({ at }) => at)),
    });
  for (const bytes of rubbish) writer.addData(bytes, { records: 1, samples: 7, from: NOON, to: NOON });
  writer.finish();
  return Buffer.concat(chunks);
}

export const carriedSamples = (first: number, count: number, at: number): DataSample[] =>
  Array.from({ length: count }, (_, i) => ({
    record: first + i,
    index: 0,
    at: at + i * 1000,
    value: first + i,
    code: 0,
  }));
