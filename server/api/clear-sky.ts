// What a cloudless sky would give the array of a post.
import type { SeriesResponse } from '#contract/http.js';
import { clearSkyPower } from '#domain/sun.js';
import type { Window } from '#domain/window.js';
import type { PostConfig } from '../config.js';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** Mean power under a cloudless sky in each frame; absent where a fact of the post is missing. */
export function clearSkyOf(
  config: PostConfig | undefined,
  frames: readonly Window[],
): Pick<SeriesResponse, 'clearSky'> {
  const facts = pvFactsOf(config);
  if (facts === undefined) return {};
  const at: number[] = [];
  const power: number[] = [];
  let energyWh = 0;
  for (const frame of frames) {
    const watts = meanPower(facts, frame);
    at.push(frame.from);
    power.push(Math.round(watts));
    energyWh += (watts * (frame.to - frame.from)) / HOUR_MS;
  }
  return { clearSky: { at, power, energyWh: Math.round(energyWh) } };
}

type PvFacts = Parameters<typeof clearSkyPower>[0];

/** By the middle of each hour; of several days by the one in their middle. */
function meanPower(facts: PvFacts, { from, to }: Window): number {
  const lengthMs = Math.min(to - from, DAY_MS);
  const start = from + (to - from >= 2 * DAY_MS ? Math.floor((to - from) / DAY_MS / 2) * DAY_MS : 0);
  const steps = Math.max(1, Math.round(lengthMs / HOUR_MS));
  let sum = 0;
  for (let step = 0; step < steps; step += 1) sum += clearSkyPower(facts, start + ((step + 0.5) * lengthMs) / steps);
  return sum / steps;
}

function pvFactsOf(config: PostConfig | undefined): PvFacts | undefined {
  if (config === undefined) return undefined;
  const { latitude, longitude, altitudeM, pvCapacityW, pvTiltDeg, pvAzimuthDeg } = config;
  if (latitude === undefined || longitude === undefined || altitudeM === undefined) return undefined;
  if (pvCapacityW === undefined || pvTiltDeg === undefined || pvAzimuthDeg === undefined) return undefined;
  return {
    latitudeDeg: latitude,
    longitudeDeg: longitude,
    altitudeM,
    pvCapacityW,
    tiltDeg: pvTiltDeg,
    azimuthDeg: pvAzimuthDeg,
  };
}
