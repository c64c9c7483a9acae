import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { textsOf } from './catalogue.js';
import {
  DAY_MS,
  formatAge,
  formatBytes,
  formatDateTime,
  formatDuration,
  formatMonth,
  formatNumber,
  formatShare,
  formatTime,
  formatValue,
  HOUR_MS,
  zonedParts,
} from './format.js';

const en = textsOf('en');
const ru = textsOf('ru');
const tg = textsOf('tg');
const plain = (text: string): string => text.replace(/\u00a0/g, ' ');

describe('a number', () => {
  it('has a comma and set-apart groups in Russian and Tajik', () => {
    expect(formatNumber(1234567.891, 2, ru)).toBe('1\u00a0234\u00a0567,89');
    expect(formatNumber(1234567.891, 2, tg)).toBe('1\u00a0234\u00a0567,89');
    expect(formatNumber(1234567.891, 2, en)).toBe('1\u00a0234\u00a0567.89');
  });

  it('keeps four digits together', () => {
    expect(formatNumber(4280, 0, en)).toBe('4280');
  });

  it('is never minus zero', () => {
    expect(formatNumber(-0.001, 1, en)).toBe('0.0');
    expect(formatNumber(-1.25, 1, en)).toMatch(/^\u22121\.[23]$/);
  });

  it('reads back as what was written, in every language', () => {
    fc.assert(
      fc.property(fc.integer({ min: -1e9, max: 1e9 }), fc.integer({ min: 0, max: 3 }), (value, decimals) => {
        for (const texts of [en, ru, tg]) {
          const back = formatNumber(value, decimals, texts)
            .replace(/\u00a0/g, '')
            .replace('\u2212', '-')
            .replace(texts.numbers.decimal, '.');
          expect(Number(back)).toBe(value === 0 ? 0 : value);
        }
      }),
    );
  });
});

describe('a value', () => {
  it('takes the prefix that keeps it short', () => {
    expect(plain(formatValue(999, 'W', en))).toBe('999 W');
    expect(plain(formatValue(1234, 'W', en))).toBe('1.23 kW');
    expect(plain(formatValue(-12_340, 'W', ru))).toBe('−12,3 кВт');
    expect(plain(formatValue(48_200, 'Wh', en))).toBe('48.2 kWh');
    expect(plain(formatValue(12_000_000, 'Wh', tg))).toBe('12,0 МВт·соат');
  });

  it('shows three digits that matter', () => {
    expect(plain(formatValue(4.567, 'm³/h', en))).toBe('4.57 m³/h');
    expect(plain(formatValue(45.67, 'm³', en))).toBe('45.7 m³');
    expect(plain(formatValue(456.7, 'm³', en))).toBe('457 m³');
    expect(plain(formatValue(9.999, 'm', en))).toBe('10.0 m');
  });

  it('is a dash where there is none', () => {
    expect(formatValue(null, 'W', en)).toBe('–');
    expect(formatValue(Number.NaN, 'W', en)).toBe('–');
  });

  it('in seconds becomes a duration', () => {
    expect(plain(formatValue(7500, 's', en))).toBe('2 h 5 min');
    expect(plain(formatValue(0.042, 's', en))).toBe('42 ms');
  });
});

describe('a share', () => {
  it('reads 100 % only when nothing is missing', () => {
    expect(plain(formatShare(1, en))).toBe('100 %');
    expect(plain(formatShare(0.9999, en))).toBe('99 %');
    expect(plain(formatShare(0.57, en))).toBe('57 %');
  });
  it('reads 0 % only when everything is missing', () => {
    expect(plain(formatShare(0.001, en))).toBe('<1 %');
    expect(plain(formatShare(0, en))).toBe('0 %');
  });
});

describe('an age', () => {
  it('is said in the unit that matters', () => {
    expect(formatAge(2000, en)).toBe('now');
    expect(plain(formatAge(12_400, en))).toBe('12 s ago');
    expect(plain(formatAge(3 * 60_000 + 5, en))).toBe('3 min ago');
    expect(plain(formatAge(5 * HOUR_MS + 600_000, ru))).toBe('5 ч назад');
    expect(plain(formatAge(3 * DAY_MS + HOUR_MS, tg))).toBe('3 рӯз пеш');
  });

  it('that is negative says that a clock is ahead', () => {
    expect(formatAge(-2000, en)).toBe('now');
    expect(plain(formatAge(-120_000, en))).toBe('in 2 min (clock of the post is ahead)');
  });
});

describe('a duration', () => {
  it('has two units at the most', () => {
    expect(plain(formatDuration(200 * 60_000, en))).toBe('3 h 20 min');
    expect(plain(formatDuration(2 * DAY_MS + 4 * HOUR_MS + 60_000, en))).toBe('2 d 4 h');
    expect(plain(formatDuration(45_999, en))).toBe('45 s');
  });
});

describe('bytes', () => {
  it('have decimal prefixes', () => {
    expect(plain(formatBytes(940, en))).toBe('940 B');
    expect(plain(formatBytes(84_200, en))).toBe('84 kB');
    expect(plain(formatBytes(1_250_000, ru))).toBe('1,25 МБ');
  });
});

describe('a date', () => {
  const at = Date.UTC(2026, 2, 4, 19, 3, 9);
  it('is that of the zone', () => {
    expect(plain(formatDateTime(at, 'Asia/Dushanbe', en))).toBe('5 Mar 2026, 00:03');
    expect(plain(formatDateTime(at, 'Asia/Dushanbe', ru))).toBe('5 марта 2026, 00:03');
    expect(plain(formatMonth(at, 'UTC', tg))).toBe('март 2026');
    expect(zonedParts(at, 'Asia/Dushanbe').weekday).toBe(4);
  });
  it('is UTC in a zone that nobody knows', () => {
    expect(formatTime(at, 'Mars/Olympus')).toBe('19:03');
  });
});
