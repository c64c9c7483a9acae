import { assert, constantFrom, integer, property } from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createCalendar } from './calendar.js';
import { chooseLayout, DAY_MS, framesOf, layoutOf } from './layout.js';

const calendar = createCalendar();
const day = (year: number, month: number, date: number): number => Date.UTC(year, month - 1, date);

describe('a layout', () => {
  test('is as fine as a screen can show', () => {
    const chosen = (days: number, pixels: number): [string, number] => {
      const { span, times } = chooseLayout({ from: 0, to: days * DAY_MS }, pixels);
      return [span, times];
    };
    expect(chosen(1, 300)).toEqual(['points', 1]);
    expect(chosen(3, 300)).toEqual(['quarter', 1]);
    expect(chosen(30, 300)).toEqual(['quarter', 12]);
    expect(chosen(366, 400)).toEqual(['day', 1]);
    expect(chosen(4 * 365, 300)).toEqual(['day', 7]);
    expect(chosen(20 * 365, 300)).toEqual(['month', 1]);
    expect(chosen(90 * 365, 2)).toEqual(['year', 1]);
  });

  test('has windows that hold the range, side by side, and of about so many as there are pixels', () => {
    assert(
      property(
        integer({ min: day(2001, 1, 1), max: day(2060, 1, 1) }),
        integer({ min: 1000, max: 40 * 365 * DAY_MS }),
        integer({ min: 40, max: 2000 }),
        constantFrom('Asia/Dushanbe', 'Europe/Berlin', 'America/Havana', 'UTC'),
        (from, length, pixels, zone) => {
          const range = { from, to: from + length };
          const frames = framesOf(chooseLayout(range, pixels), range, zone, calendar);
          expect(frames.length).toBeLessThanOrEqual(pixels + 3);
          expect(frames[0]?.from).toBeLessThanOrEqual(range.from);
          expect(frames.at(-1)?.to).toBeGreaterThanOrEqual(range.to);
          expect(frames.slice(1).map((frame) => frame.from)).toEqual(frames.slice(0, -1).map((frame) => frame.to));
        },
      ),
      { numRuns: 60 },
    );
  });

  test('stands where that of any other range does', () => {
    const weeks = { span: 'day', times: 7, aboutMs: 7 * DAY_MS } as const;
    const all = framesOf(weeks, { from: day(2024, 1, 1), to: day(2026, 1, 1) }, 'Europe/Berlin', calendar);
    const starts = new Set(all.map(({ from }) => from));
    for (let at = day(2024, 2, 1); at < day(2025, 12, 1); at += 13 * DAY_MS) {
      const frames = framesOf(weeks, { from: at, to: at + DAY_MS }, 'Europe/Berlin', calendar);
      expect(frames.every(({ from }) => starts.has(from))).toBe(true);
    }
    // Monday, by the clock on the wall.
    expect(new Date((all[0]?.from ?? 0) + 3_600_000).toISOString()).toBe('2024-01-01T00:00:00.000Z');
    const days = framesOf(layoutOf('day'), { from: day(2026, 3, 28), to: day(2026, 3, 31) }, 'Europe/Berlin', calendar);
    expect(days.map(({ from, to }) => (to - from) / 3_600_000)).toEqual([24, 23, 24, 24]);
  });
});

test('a calendar that ran full answers the same', () => {
  const small = createCalendar(20);
  const range = { from: day(2026, 1, 1), to: day(2026, 2, 1) };
  const first = small.over('day', range, 'UTC');
  small.over('day', range, 'Asia/Dushanbe');
  expect(small.over('day', range, 'UTC')).toEqual(first);
});
