// The way into InfluxDB: through the store, against bodies that were built before, posted over one kept-alive connection for each
// request in flight. Both send the same lines.
import { Agent, request } from 'node:http';
import type { Point } from '#server/ports.js';
import { linesOf } from '#server/store/influx/lines.js';
import { createInfluxStore } from '#server/store/influx-store.js';
import { startInflux } from '#tests/support/influx.js';
import { median } from '../table.js';
import { FlushPoints, LIVE_FROM, liveRow, rowsOfFlush } from './data-set.js';

const FLUSHES = 100;
const IN_FLIGHT = [1, 4];

/** Rate of the store, of that of prebuilt bodies, at its worst over 1 and 4 requests in flight; medians of rounds in turn. */
export async function influxPathRatio(rounds: number): Promise<number> {
  const flushes = Array.from({ length: FLUSHES }, (_, flush) => pointsOf(flush));
  const bodies = flushes.map(bodyOf);
  const influx = await startInflux();
  let fresh = 0;
  const ask = (query: string) => fetch(`${influx.url}/query?q=${encodeURIComponent(query)}`, { method: 'POST' });
  const prebuilt = async (inFlight: number): Promise<number> => {
    const database = `prebuilt${++fresh}`;
    const agent = new Agent({ keepAlive: true, maxSockets: inFlight });
    await ask(`CREATE DATABASE ${database}`);
    const url = `${influx.url}/write?db=${database}&precision=ms`;
    const tookMs = await timed(bodies, inFlight, (body) => post(url, body, agent)).finally(() => agent.destroy());
    await ask(`DROP DATABASE ${database}`);
    return tookMs;
  };
  const through = async (inFlight: number): Promise<number> => {
    const database = `store${++fresh}`;
    const store = createInfluxStore({ url: influx.url, database });
    await store.latest('nobody');
    const tookMs = await timed(flushes, inFlight, async (points) => {
      const written = await store.write(points);
      if (!written.ok || written.value.length > 0) throw new Error('a flush was not stored');
    }).finally(() => store.close());
    await ask(`DROP DATABASE ${database}`);
    return tookMs;
  };
  try {
    const ratios: number[] = [];
    for (const inFlight of IN_FLIGHT) {
      const times: { prebuilt: number[]; through: number[] } = { prebuilt: [], through: [] };
      for (let round = 0; round < rounds; round += 1) {
        const isTurned = round % 2 === 1;
        if (isTurned) times.through.push(await through(inFlight));
        times.prebuilt.push(await prebuilt(inFlight));
        if (!isTurned) times.through.push(await through(inFlight));
      }
      ratios.push(median(times.prebuilt) / median(times.through));
    }
    return Math.min(...ratios);
  } finally {
    await influx.stop();
  }
}

function pointsOf(flush: number): readonly Point[] {
  const points = new FlushPoints();
  points.fill(rowsOfFlush(flush, liveRow), LIVE_FROM);
  return points.points;
}

function bodyOf(points: readonly Point[]): Buffer {
  const lines = linesOf(points).map(({ fields = {}, measurement, tags = {}, timestamp }) => {
    const written = Object.entries(fields).map(
      ([name, value]) => `${name}=${typeof value === 'string' ? `"${value}"` : value}`,
    );
    return `${measurement},device=${tags.device},post=${tags.post} ${written.join(',')} ${timestamp}`;
  });
  return Buffer.from(lines.join('\n'));
}

function post(url: string, body: Buffer, agent: Agent): Promise<void> {
  return new Promise((resolve, reject) => {
    const sent = request(url, { method: 'POST', agent, headers: { 'content-length': body.length } }, (answer) => {
      answer.resume();
      answer.on('end', () =>
        answer.statusCode === 204 ? resolve() : reject(new Error(`status ${answer.statusCode}`)),
      );
    });
    sent.on('error', reject);
    sent.end(body);
  });
}

/** Milliseconds for all, so many at a time. */
async function timed<T>(all: readonly T[], inFlight: number, send: (one: T) => Promise<void>): Promise<number> {
  let next = 0;
  const lane = async (): Promise<void> => {
    for (let one = all[next++]; one !== undefined; one = all[next++]) await send(one);
  };
  const start = performance.now();
  await Promise.all(Array.from({ length: inFlight }, lane));
  return performance.now() - start;
}
