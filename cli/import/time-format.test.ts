import fc from 'fast-check';
import { expect, test } from 'vitest';
import { zoneOffsetMs } from '#domain/window.js';
import { createTimeReader, type TimeRules } from './time-format.js';

const reader = (format: string, zone?: string, repeatedHour: TimeRules['repeatedHour'] = 'order') => {
  const read = createTimeReader({ format, zone, repeatedHour });
  return (text: string): string => {
    const time = read(text);
    return time.ok ? new Date(time.value).toISOString() : time.fault.code;
  };
};

test('times as loggers write them', () => {
  expect(reader('DD.MM.YYYY HH:mm', 'Asia/Dushanbe')('01.03.2024 06:10')).toBe('2024-03-01T01:10:00.000Z');
  expect(reader('M/D', 'UTC')('1/2')).toBe('IMPORT_TIME');
  expect(reader('MM/DD/YY hh:mm:ss A', 'UTC')('3/1/24 12:05:09 AM')).toBe('2024-03-01T00:05:09.000Z');
  expect(reader('MM/DD/YY hh:mm:ss A', 'UTC')('3/1/24 12:05:09 pm')).toBe('2024-03-01T12:05:09.000Z');
  expect(reader('YYYYMMDD HHmmss.SSS', 'UTC')('20240301 061500.250')).toBe('2024-03-01T06:15:00.250Z');
  expect(reader('epoch-s')('1709273700.5')).toBe('2024-03-01T06:15:00.500Z');
  expect(reader('epoch-ms')('1709273700000')).toBe('2024-03-01T06:15:00.000Z');
  const iso = reader('iso', 'Asia/Dushanbe');
  expect(iso('2024-03-01T06:15:00+05:00')).toBe('2024-03-01T01:15:00.000Z');
  expect(iso('2024-03-01 06:15:00,250Z')).toBe('2024-03-01T06:15:00.250Z');
  expect(iso('2024-03-01 06:15')).toBe('2024-03-01T01:15:00.000Z');
  expect(reader('iso')('2024-03-01 06:15')).toBe('IMPORT_TIME');
});

test('what no calendar has is no time', () => {
  const read = reader('DD.MM.YYYY HH:mm', 'Asia/Dushanbe');
  for (const text of [
    '32.03.2024 06:00',
    '30.02.2024 06:00',
    '01.03.2024 25:00',
    '01.03.2024 06:60',
    '1.3.24 06:00',
    '',
  ])
    expect(read(text)).toBe('IMPORT_TIME');
});

test('an hour that the clocks skip was never shown; one that they show twice is told apart by the order, or as the mapping says', () => {
  const format = 'YYYY-MM-DD HH:mm';
  const berlin = reader(format, 'Europe/Berlin');
  expect(berlin('2024-03-31 02:30')).toBe('IMPORT_TIME_NEVER');
  const autumn = ['02:00', '02:30', '02:00', '02:30', '03:00'].map((clock) => berlin(`2024-10-27 ${clock}`));
  expect(autumn.map((text) => text.slice(11, 16))).toEqual(['00:00', '00:30', '01:00', '01:30', '02:00']);
  expect(reader(format, 'Europe/Berlin', 'second')('2024-10-27 02:30')).toBe('2024-10-27T01:30:00.000Z');
  expect(reader(format, 'Europe/Berlin', 'first')('2024-10-27 02:30')).toBe('2024-10-27T00:30:00.000Z');
  expect(reader(format, 'Europe/Berlin', 'reject')('2024-10-27 02:30')).toBe('IMPORT_TIME_TWICE');
});

test('every moment that a wall clock shows once is read back, in any zone', () => {
  const zones = fc.constantFrom('Asia/Dushanbe', 'Europe/Berlin', 'Australia/Lord_Howe', 'America/St_Johns', 'UTC');
  const minutes = fc.integer({ min: Date.UTC(2015, 0) / 60_000, max: Date.UTC(2030, 0) / 60_000 });
  fc.assert(
    fc.property(zones, minutes, (zone, minute) => {
      const at = minute * 60_000;
      const wall = new Date(at + zoneOffsetMs(at, zone)).toISOString().slice(0, 16);
      const both = ['first', 'second'].map((which) => reader('iso', zone, which as 'first')(wall));
      expect(both).toContain(new Date(at).toISOString());
    }),
    { numRuns: 300 },
  );
});
