// What lies on the panels: snow that covers them and slides off, dust that gathers and is washed away.
import type { WeatherState } from './weather.js';

export interface ArrayCover {
  /** Share of the panels' height under snow. It slides from the top. */
  readonly snowShare: number;
  /** How deep that snow is, cm. */
  readonly snowCm: number;
  /** Share of light that dust takes. */
  readonly dustShare: number;
}

export const CLEAN_ARRAY: ArrayCover = { snowShare: 0, snowCm: 0, dustShare: 0 };

/** Ten millimetres of fresh snow for a millimetre of water: cold dry snow. */
const SNOW_CM_PER_MM = 1;
/** Fresh snow that covers a panel, cm. */
const COVERING_CM = 1;
/** Light that still comes through a cover of a few centimetres. */
const THROUGH_SNOW = 0.05;
/** Snow slides where the air is warmer than the light on the panels over this, W/m² per K (Marion 2013). */
const SLIDE_W_PER_M2K = -80;
/** Share of the height that an upright panel loses in an hour (Marion 2013). */
const SLIDE_PER_HOUR = 0.197;
/** Rain that washes two thirds of the dust away, mm. */
const WASHING_MM = 6;
/** Dust takes no more than this: what lies on dust is blown off again. */
const MOST_DUST = 0.3;

/**
 * Snow after B. Marion and others, Solar Energy 97 (2013) 112, as SAM and pvlib have it; dust after A. Kimber and others,
 * IEEE WCPEC (2006): so much a day, until it rains.
 * @param onPlane light on the plane of the panels under this sky, W/m²
 */
export function stepArrayCover(
  cover: ArrayCover,
  weather: WeatherState,
  panels: { readonly tiltDeg: number; readonly dustPerDay: number },
  onPlane: number,
  dtS: number,
  forced: { readonly snowfallCmH?: number | undefined; readonly dustPerDay?: number | undefined },
): ArrayCover {
  const hours = dtS / 3600;
  const rainMm = weather.snows ? 0 : weather.precipitationMmH * hours;
  const naturalCmH = weather.snows ? weather.precipitationMmH * SNOW_CM_PER_MM : 0;
  const fallenCm = Math.max(naturalCmH, forced.snowfallCmH ?? 0) * hours;
  const snow = fallenCm > 0 ? snowedOn(cover, fallenCm) : slid(cover, weather.airC, panels.tiltDeg, onPlane, hours);
  const settled = cover.dustShare + ((panels.dustPerDay + (forced.dustPerDay ?? 0)) * hours) / 24;
  // What slides takes the dust with it.
  const swept = cover.snowShare > 0 && snow.snowShare === 0 ? 0.5 : 1;
  return {
    snowShare: snow.snowShare,
    snowCm: snow.snowCm,
    dustShare: Math.min(MOST_DUST, settled * Math.exp(-rainMm / WASHING_MM) * swept),
  };
}

type Snow = Pick<ArrayCover, 'snowShare' | 'snowCm'>;

function snowedOn({ snowShare, snowCm }: ArrayCover, fallenCm: number): Snow {
  const depthCm = snowCm + fallenCm;
  return { snowShare: Math.max(snowShare, Math.min(1, depthCm / COVERING_CM)), snowCm: depthCm };
}

function slid({ snowShare, snowCm }: ArrayCover, airC: number, tiltDeg: number, onPlane: number, hours: number): Snow {
  if (snowShare === 0 || airC <= onPlane / SLIDE_W_PER_M2K || onPlane <= 0) return { snowShare, snowCm };
  const left = snowShare - SLIDE_PER_HOUR * Math.sin((tiltDeg * Math.PI) / 180) * hours;
  return left > 0 ? { snowShare: left, snowCm } : { snowShare: 0, snowCm: 0 };
}

/** Share of light that comes through. */
export function throughCover({ snowShare, dustShare }: ArrayCover): number {
  return (1 - snowShare * (1 - THROUGH_SNOW)) * (1 - dustShare);
}
