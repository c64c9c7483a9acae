import { createPublicKey, sign, verify } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import {
  drawEpoch,
  type Identity,
  type IdentityFault,
  leastNumberAt,
  openIdentity,
  openRisingNumber,
} from './identity.js';

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

const NOON = Date.UTC(2026, 0, 15, 12);

test('numbers rise over every restart, also one in the middle of a block', () => {
  const file = join(folder, 'number');
  const given: number[] = [];
  for (let start = 0; start < 5; start += 1) {
    const number = openRisingNumber(file, 8);
    for (let i = 0; i <= start * 3; i += 1) given.push(number.next(0));
  }
  expect(given).toEqual([...new Set(given)].sort((a, b) => a - b));
  expect(given[0]).toBeLessThanOrEqual(1024);
});

test('whatever the clock says, numbers rise, and stay below 2^53', () => {
  const file = join(folder, 'number');
  const times = [undefined, NOON, 0, NOON - 86_400_000, 8.64e15, NOON, undefined, -5];
  const given = times.map((at) => openRisingNumber(file, 3600 * 1024).next(leastNumberAt(at)));
  for (const [i, number] of given.entries()) if (i > 0) expect(number).toBeGreaterThan(given[i - 1] ?? 0);
  expect(given[1]).toBeGreaterThanOrEqual((NOON / 1000) * 1024);
  expect(given[1]).toBeLessThan((NOON / 1000 + 1) * 1024);
  expect(Number.isSafeInteger(given.at(-1))).toBe(true);
});

test('a number is lifted by the time of day, so that a restored backup does not repeat one', () => {
  const number = openRisingNumber(join(folder, 'number'), 1, { draw: () => 5 });
  expect([number.next(0), number.next(leastNumberAt(1_768_478_400_900)), number.next(5)]).toEqual([
    6,
    1_768_478_400 * 1024 + 5,
    1_768_478_400 * 1024 + 11,
  ]);
  expect(readFileSync(join(folder, 'number'), 'utf8')).toBe(`${1_768_478_400 * 1024 + 11}\n`);
});

test('gateways on copies of one disk draw numbers of their own, in the same second and without a clock', () => {
  for (const at of [NOON, undefined]) {
    const draws = Array.from({ length: 40 }, () => {
      const copy = mkdtempSync(join(folder, 'copy-'));
      writeFileSync(join(copy, 'number'), '1000\n');
      return openRisingNumber(join(copy, 'number'), 1).next(leastNumberAt(at));
    });
    // Of 40 drawn from 1024 about one meets another; ten would be no chance.
    expect(new Set(draws).size).toBeGreaterThan(30);
  }
});

test('a post that tries to connect each minute writes its number once an hour', () => {
  const file = join(folder, 'connection-number');
  const { connections } = open();
  const texts = new Set<string>();
  for (let minute = 0; minute < 180; minute += 1) {
    connections.next(leastNumberAt(NOON + minute * 60_000));
    texts.add(readFileSync(file, 'utf8'));
  }
  expect(texts.size).toBe(3);
});

test('a disk that takes nothing ends no gateway: numbers still rise, and it is told once', () => {
  const place = join(folder, 'gone');
  mkdirSync(place);
  const told: string[] = [];
  const options = { tell: (fault: IdentityFault) => told.push(fault.code) };
  const number = openRisingNumber(join(place, 'number'), 1, options);
  const given = [number.next(leastNumberAt(NOON))];
  rmSync(place, { recursive: true });
  given.push(number.next(0), number.next(0));
  mkdirSync(place);
  given.push(number.next(0));
  expect(Number(readFileSync(join(place, 'number'), 'utf8'))).toBe(given[3]);
  expect(given).toEqual([...new Set(given)].sort((a, b) => a - b));
  expect(told).toEqual(['IDENTITY_UNWRITABLE']);
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
