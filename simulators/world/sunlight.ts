// Sunlight on the post's array: a clear sky by place and time, clouds that come and go, and what the panels make of it.

import { clearSkyIrradiance, planeOfArray, sunPosition } from '#domain/sun.js';
import type { PostSpec } from './post-spec.js';
import type { RandomStream } from './random.js';

/** Clouds as a Markov chain of two states, with a depth for each cloud. */
export interface SkyState {
  readonly cloudy: boolean;
  /** Share of clear-sky light that comes through. */
  readonly factor: number;
  /** Until the next change. */
  readonly remainingS: number;
}

export const CLEAR_SKY: SkyState = { cloudy: false, factor: 1, remainingS: 600 };

/** Moves the sky on. Dwell times are exponential: clouds stay 5 to 20 minutes in the mean, clear sky by its share. */
export function stepSky(sky: SkyState, dtS: number, cloudShare: number, random: RandomStream): SkyState {
  let { cloudy, factor, remainingS } = sky;
  remainingS -= dtS;
  while (remainingS <= 0) {
    cloudy = cloudShare > 0 && !cloudy;
    factor = cloudy ? random.between(0.3, 0.6) : 1;
    const cloudMeanS = random.between(300, 1200);
    const meanS = cloudy ? cloudMeanS : (cloudMeanS * (1 - cloudShare)) / Math.max(0.01, cloudShare);
    remainingS += Math.max(30, -Math.log(1 - random.next()) * meanS);
  }
  return { cloudy, factor, remainingS };
}

/** W/m² on the horizontal, on the plane of the array, and on its cells, below what lies on them. */
export interface Sunlight {
  readonly horizontal: number;
  readonly onPlane: number;
  readonly onArray: number;
}

export const DARKNESS: Sunlight = { horizontal: 0, onPlane: 0, onArray: 0 };

/** Sunlight under a clear sky, level and on a tilted plane. */
export function clearSunlight(
  at: number,
  site: PostSpec['site'],
  { tiltDeg, azimuthDeg }: PostSpec['pv'],
): Pick<Sunlight, 'horizontal' | 'onPlane'> {
  const { latitudeDeg, longitudeDeg, altitudeM } = site;
  const irradiance = clearSkyIrradiance(at, latitudeDeg, longitudeDeg, altitudeM);
  if (irradiance.ghi <= 0) return DARKNESS;
  const sun = sunPosition(at, latitudeDeg, longitudeDeg);
  return { horizontal: irradiance.ghi, onPlane: planeOfArray(irradiance, sun, { tiltDeg, azimuthDeg }) };
}

/** Power that an array could give, W: rated power by light and by the warmth of its cells. */
export function arrayPowerW(capacityW: number, onArray: number, airC: number, pv: PostSpec['pv']): number {
  const cellC = airC + 0.03 * onArray;
  const warmth = Math.max(0, 1 - pv.temperatureCoefficient * (cellC - 25));
  return capacityW * (onArray / 1000) * warmth * pv.performance;
}

/** What each string of the array could give, W. @param left what is left of each string */
export function stringPowersW(powerW: number, shares: readonly number[], left: readonly number[] = []): number[] {
  const total = shares.reduce((sum, share) => sum + share, 0);
  return shares.map((share, index) => (powerW * share * (left[index] ?? 1)) / total);
}
