import { brotliCompressSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import type { FleetResponse } from '#contract/http.js';
import type { PostSummary, Total } from '#contract/view.js';
import { renderImpactPage } from './impact-page.js';

const total = (value: number | null, unit: Total['unit'], coverage: number): Total => ({
  value,
  unit,
  coverage,
  method: 'counter',
});
const from = Date.UTC(2026, 10, 23, 19);
const totals = (pv: number | null) => ({
  from,
  to: from + 3_600_000,
  zone: 'Asia/Dushanbe',
  totals: { pvEnergy: total(pv, 'Wh', 0.964), waterVolume: total(7.4, 'm³', 1) },
});
const post = (id: string): PostSummary => ({
  id,
  name: 'Secret <valley>',
  link: 'offline',
  lastSampleAt: from,
  lastContactAt: from,
  backfilling: false,
  registered: true,
  flows: { airTemperature: { value: -17.25, code: 0, at: from }, batterySoc: { value: 43, code: 0, at: from } },
  today: totals(12_345),
  alarms: { p1: 1, p2: 0, p3: 0, unacknowledged: 1 },
});
const data = (posts: PostSummary[]): FleetResponse => ({
  fleet: 'demo',
  now: from + 3_600_000,
  posts,
  today: totals(48_200),
  month: totals(null),
});

describe('the impact page', () => {
  const page = renderImpactPage(data([post('gbao-03'), post('gbao-01')]), 'en').replace(/\u00a0/g, ' ');

  it('is a whole document without any script', () => {
    expect(page).toMatch(/^<!doctype html><html lang="en">/);
    expect(page).not.toMatch(/<script|onclick|javascript:|style="/i);
  });

  it('brings its style unescaped', () => {
    expect(/<style>([\s\S]*?)<\/style>/.exec(page)?.[1]).not.toMatch(/[&"'<>]/);
  });

  it('shows kWh and m³ with the share measured and the method beside them', () => {
    expect(page).toContain('<strong>48.2 kWh</strong><small>96 % of the time measured; counter difference</small>');
    expect(page).toContain('<strong>7.40 m³</strong><small>100 % of the time measured; counter difference</small>');
  });

  it('says that a figure is not known, and shows no zero for it', () => {
    expect(page).toContain('<strong>–</strong><small>not known</small>');
  });

  it('tells neither names of places, nor the live state, nor anything of now', () => {
    for (const secret of ['Secret', 'valley', 'offline', '17.25', '43 %', 'critical', 'latitude'])
      expect(page).not.toContain(secret);
  });

  it('reads in Russian and Tajik, and in English where the language is unknown', () => {
    expect(renderImpactPage(data([post('a')]), 'ru')).toContain('Что дали солнце и насосы');
    expect(renderImpactPage(data([post('a')]), 'tg')).toContain('lang="tg"');
    expect(renderImpactPage(data([post('a')]), '../etc')).toContain('lang="en"');
  });

  it('does not pretend that there were figures when no post has reported', () => {
    expect(renderImpactPage(data([]), 'en')).toContain('No post has reported yet.');
  });

  it('stays below 25 kB for sixty posts on the wire', () => {
    const sixty = renderImpactPage(data(Array.from({ length: 60 }, (_, index) => post(`post-${index}`))), 'tg');
    expect(brotliCompressSync(sixty).length).toBeLessThan(25_000);
  });
});
