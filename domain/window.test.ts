import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { alignDown, dayWindow, isZone, monthWindow, yearWindow, zoneOffsetMs } from './window.js';

const HOUR_MS = 3_600_000;
const utc = (text: string) => Date.parse(text);
const iso = ({ from, to }: { from: number; to: number }) => [new Date(from).toISOString(), new Date(to).toISOString()];
const hours = ({ from, to }: { from: number; to: number }) => (to - from) / HOUR_MS;

describe('a local day', () => {
  test.each([
    ['Asia/Dushanbe', '2025-03-30T10:00:00Z', '2025-03-29T19:00:00.000Z', 24],
    ['Asia/Dushanbe', '2025-03-29T19:00:00Z', '2025-03-29T19:00:00.000Z', 24],
    ['Asia/Dushanbe', '2025-03-29T18:59:59.999Z', '2025-03-28T19:00:00.000Z', 24],
    ['Europe/Berlin', '2025-03-30T10:00:00Z', '2025-03-29T23:00:00.000Z', 23],
    ['Europe/Berlin', '2025-10-26T00:30:00Z', '2025-10-25T22:00:00.000Z', 25],
    ['Europe/Berlin', '2025-10-26T01:30:00Z', '2025-10-25T22:00:00.000Z', 25],
    ['America/New_York', '2025-03-09T12:00:00Z', '2025-03-09T05:00:00.000Z', 23],
    ['America/New_York', '2025-11-02T12:00:00Z', '2025-11-02T04:00:00.000Z', 25],
    ['Asia/Kathmandu', '2025-06-01T12:00:00Z', '2025-05-31T18:15:00.000Z', 24],
    ['UTC', '1969-12-31T23:00:00Z', '1969-12-31T00:00:00.000Z', 24],
    ['Australia/Lord_Howe', '2025-10-05T00:00:00Z', '2025-10-04T13:30:00.000Z', 23.5],
  ])('in %s around %s begins at %s and has %d hours', (zone, at, from, length) => {
    const window = dayWindow(utc(at), zone);
    expect(iso(window)[0]).toBe(from);
    expect(hours(window)).toBe(length);
  });

  test('begins at one o’clock where the clocks jump over midnight', () => {
    // Beirut, 31 March 2024: 00:00 became 01:00.
    const window = dayWindow(utc('2024-03-31T09:00:00Z'), 'Asia/Beirut');
    expect(iso(window)).toEqual(['2024-03-30T22:00:00.000Z', '2024-03-31T21:00:00.000Z']);
  });

  test('begins at the first of two midnights where the clocks fall back to it', () => {
    // Havana, 2 November 2025: 01:00 became 00:00.
    const window = dayWindow(utc('2025-11-02T12:00:00Z'), 'America/Havana');
    expect(iso(window)).toEqual(['2025-11-02T04:00:00.000Z', '2025-11-03T05:00:00.000Z']);
  });

  test('that a zone left out belongs to nobody', () => {
    // Samoa went from 29 to 31 December 2011.
    const last = dayWindow(utc('2011-12-30T09:00:00Z'), 'Pacific/Apia');
    expect(iso(last)).toEqual(['2011-12-29T10:00:00.000Z', '2011-12-30T10:00:00.000Z']);
    expect(dayWindow(last.to, 'Pacific/Apia').from).toBe(last.to);
  });
});

const zones = [
  'Asia/Dushanbe',
  'Europe/Berlin',
  'America/New_York',
  'Asia/Beirut',
  'America/St_Johns',
  'America/Sao_Paulo',
  'Pacific/Apia',
  'Australia/Lord_Howe',
  'Asia/Tehran',
  'America/Havana',
  'Pacific/Kiritimati',
  'UTC',
];
const moments = fc.integer({ min: utc('1975-01-01T00:00:00Z'), max: utc('2037-01-01T00:00:00Z') });

test.each([dayWindow, monthWindow, yearWindow])(
  'windows of %o hold the moment asked for and lie side by side',
  (windowOf) => {
    fc.assert(
      fc.property(moments, fc.constantFrom(...zones), (at, zone) => {
        const window = windowOf(at, zone);
        expect(window.from).toBeLessThanOrEqual(at);
        expect(window.to).toBeGreaterThan(at);
        expect(windowOf(window.from, zone)).toEqual(window);
        expect(windowOf(window.to - 1, zone)).toEqual(window);
        expect(windowOf(window.to, zone).from).toBe(window.to);
      }),
      { numRuns: 300 },
    );
  },
);

test('a day starts when the local clock shows midnight, in zones that never jump over it', () => {
  fc.assert(
    fc.property(moments, fc.constantFrom('Asia/Dushanbe', 'Europe/Berlin', 'America/New_York'), (at, zone) => {
      const { from } = dayWindow(at, zone);
      const local = new Intl.DateTimeFormat('en-GB', { timeZone: zone, timeStyle: 'medium' }).format(from);
      expect(local).toBe('00:00:00');
    }),
  );
});

test('a month has the hours of its days, with the one that the clocks take', () => {
  expect(hours(monthWindow(utc('2025-03-15T00:00:00Z'), 'Europe/Berlin'))).toBe(31 * 24 - 1);
  expect(hours(monthWindow(utc('2025-10-15T00:00:00Z'), 'Europe/Berlin'))).toBe(31 * 24 + 1);
  expect(hours(monthWindow(utc('2024-02-29T18:59:59Z'), 'Asia/Dushanbe'))).toBe(29 * 24);
  expect(iso(monthWindow(utc('2024-12-31T19:00:00Z'), 'Asia/Dushanbe'))).toEqual([
    '2024-12-31T19:00:00.000Z',
    '2025-01-31T19:00:00.000Z',
  ]);
});

test('a year in Dushanbe begins five hours before UTC’s', () => {
  expect(iso(yearWindow(utc('2025-06-01T00:00:00Z'), 'Asia/Dushanbe'))).toEqual([
    '2024-12-31T19:00:00.000Z',
    '2025-12-31T19:00:00.000Z',
  ]);
  expect(zoneOffsetMs(utc('2025-06-01T00:00:00Z'), 'Asia/Dushanbe')).toBe(5 * HOUR_MS);
});

test('a zone that does not exist is told at the door and refused inside', () => {
  expect(isZone('Asia/Dushanbe')).toBe(true);
  expect(isZone('Asia/Murghab')).toBe(false);
  expect(() => dayWindow(0, 'Asia/Murghab')).toThrow(RangeError);
});

test('a moment is aligned down to the period, also before the epoch', () => {
  expect(alignDown(1_000_899_999, 900_000)).toBe(1_000_800_000);
  expect(alignDown(900_000, 900_000)).toBe(900_000);
  expect(alignDown(-1, 900_000)).toBe(-900_000);
});
