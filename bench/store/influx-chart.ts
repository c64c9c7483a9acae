// The same chart from a real InfluxDB 1.x, which holds nothing but its four series: 30 days of four metrics each 10 s.
import { startInflux } from '#tests/support/influx.js';
import { median } from '../table.js';
import { DAY_MS, LIVE_FROM, madeValue, PERIOD_MS } from './data-set.js';

const FROM = LIVE_FROM - 60 * DAY_MS;
const STEPS = (30 * DAY_MS) / PERIOD_MS;
const CHART = [12, 20, 33, 48];
const LINES = 5000;
const ROUNDS = 5;

/** Milliseconds of a request for mean, min and max of quarters; median. */
export async function influxChartMs(): Promise<number> {
  const influx = await startInflux();
  try {
    await ask(influx.url, 'CREATE DATABASE bench', '');
    for (let first = 0; first < STEPS; first += LINES) {
      const lines = Array.from({ length: Math.min(LINES, STEPS - first) }, (_, i) => {
        const step = first + i;
        const fields = CHART.map((metric) => `m${metric}=${madeValue(0, metric, step)}`);
        return `w,post=post-000 ${fields.join(',')} ${FROM + step * PERIOD_MS}`;
      });
      const body = lines.join('\n');
      const written = await fetch(`${influx.url}/write?db=bench&precision=ms`, { method: 'POST', body });
      if (!written.ok) throw new Error(await written.text());
    }
    const facts = CHART.flatMap((m) => [`mean(m${m})`, `min(m${m})`, `max(m${m})`]).join(', ');
    const to = FROM + 30 * DAY_MS;
    const query = `SELECT ${facts} FROM w WHERE post = 'post-000' AND time >= ${FROM}ms AND time < ${to}ms GROUP BY time(15m)`;
    const times: number[] = [];
    for (let round = 0; round < ROUNDS; round += 1) {
      const start = performance.now();
      const rows = await ask(influx.url, query, '&db=bench&epoch=ms');
      if (rows !== 2880) throw new Error(`${rows} quarters`);
      times.push(performance.now() - start);
    }
    return median(times);
  } finally {
    await influx.stop();
  }
}

async function ask(url: string, query: string, more: string): Promise<number> {
  const answer = await fetch(`${url}/query?q=${encodeURIComponent(query)}${more}`, { method: 'POST' });
  const body = (await answer.json()) as { results: { series?: { values: unknown[] }[]; error?: string }[] };
  if (body.results[0]?.error !== undefined) throw new Error(body.results[0].error);
  return body.results[0]?.series?.[0]?.values.length ?? 0;
}
