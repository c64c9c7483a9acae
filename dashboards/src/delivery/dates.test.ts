import { expect, it } from 'vitest';
import { dateOf, daysBack, startOfDate } from './dates.js';

const NOW = Date.UTC(2026, 10, 24, 20, 30);
const ZONE = 'Asia/Dushanbe';

it('a date begins at the post’s midnight, not at that of the reader', () => {
  expect(dateOf(NOW, ZONE)).toBe('2026-11-25');
  expect(startOfDate('2026-11-25', ZONE, NOW, 7)).toBe(Date.UTC(2026, 10, 24, 19));
  expect(startOfDate('2026-11-24', 'UTC', NOW, 7)).toBe(Date.UTC(2026, 10, 24));
});

it('only days of which the post keeps anything are taken', () => {
  expect(dateOf(daysBack(NOW, 7, ZONE), ZONE)).toBe('2026-11-18');
  expect(startOfDate('2026-11-18', ZONE, NOW, 7)).toBe(daysBack(NOW, 7, ZONE));
  for (const date of ['2026-11-17', '2026-11-26', '', '2026-13-45', 'yesterday'])
    expect(startOfDate(date, ZONE, NOW, 7)).toBeUndefined();
});

it('a day that is an hour short where the clocks change is still one day', () => {
  const spring = Date.UTC(2026, 2, 30, 12);
  expect(dateOf(daysBack(spring, 1, 'Europe/Berlin'), 'Europe/Berlin')).toBe('2026-03-29');
  expect(startOfDate('2026-03-29', 'Europe/Berlin', spring, 7)).toBe(Date.UTC(2026, 2, 28, 23));
});
