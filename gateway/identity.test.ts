import { createPublicKey, sign, verify } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { drawEpoch, type Identity, openIdentity, openRisingNumber } from './identity.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'oftob-identity-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

function open(path = folder): Identity {
  const opened = openIdentity(path);
  if (!opened.ok) throw new Error(opened.fault.message);
  return opened.value;
}

test('the key is made at the first start, kept, and readable by its owner alone', () => {
  const first = open(join(folder, 'new', 'place'));
  const again = open(join(folder, 'new', 'place'));
  expect(again.publicKey).toBe(first.publicKey);
  expect(first.publicKey.length).toBeLessThanOrEqual(120);
  expect(statSync(join(folder, 'new', 'place', 'gateway.key')).mode & 0o777).toBe(0o600);
  const key = createPublicKey({ key: Buffer.from(first.publicKey, 'base64'), format: 'der', type: 'spki' });
  const words = Buffer.from('words');
  expect(verify(null, words, key, sign(null, words, again.privateKey))).toBe(true);
});

test('numbers rise over every restart, also one in the middle of a block', () => {
  const file = join(folder, 'number');
  const given: number[] = [];
  for (let start = 0; start < 5; start += 1) {
    const number = openRisingNumber(file, 8);
    for (let i = 0; i <= start * 3; i += 1) given.push(number.next(0));
  }
  expect(given).toEqual([...new Set(given)].sort((a, b) => a - b));
  expect(given[0]).toBe(1);
});

test('a number is lifted by the time of day, so that a restored backup does not repeat one', () => {
  const number = openRisingNumber(join(folder, 'number'), 1);
  expect([number.next(0), number.next(1_768_478_400.9), number.next(5)]).toEqual([1, 1_768_478_400, 1_768_478_401]);
  expect(readFileSync(join(folder, 'number'), 'utf8')).toBe('1768478401\n');
});

test('files that are none of ours are told, not overwritten', () => {
  open();
  writeFileSync(join(folder, 'gateway.key'), 'rubbish');
  expect(openIdentity(folder)).toMatchObject({ ok: false, fault: { code: 'IDENTITY_UNREADABLE' } });
  expect(readFileSync(join(folder, 'gateway.key'), 'utf8')).toBe('rubbish');
  writeFileSync(join(folder, 'file'), '');
  expect(openIdentity(join(folder, 'file'))).toMatchObject({ ok: false, fault: { code: 'IDENTITY_UNWRITABLE' } });
  writeFileSync(join(folder, 'number'), '12x');
  expect(() => openRisingNumber(join(folder, 'number'), 1)).toThrow('holds no number');
});

test('no two starts have one epoch', () => {
  expect(drawEpoch()).toMatch(/^[0-9a-f]{16}$/);
  expect(drawEpoch()).not.toBe(drawEpoch());
});
