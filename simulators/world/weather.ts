// Air, wind, fronts and what falls from the sky, by season and hour.
import type { PostSpec } from './post-spec.js';
import { type RandomStream, wander } from './random.js';

const DAY_MS = 86_400_000;
const YEAR_MS = 365.25 * DAY_MS;
/** The coldest time of the year and of the day, as shares of each. */
const COLDEST_OF_YEAR = 20 / 365;
const COLDEST_OF_DAY = 5.5 / 24;
/** Weather of the large scale changes within days. */
const FRONT_S = 2.5 * 86_400;
/** Below this, in standard deviations, a front brings rain or snow out of its clouds. */
const WET_FRONT = -1.2;
/** Warmer than this it rains. */
const SNOW_BELOW_C = 1;

export interface WeatherState {
  readonly airC: number;
  readonly windMS: number;
  /** What falls now, as water, mm in an hour, and whether it is snow. */
  readonly precipitationMmH: number;
  readonly snows: boolean;
  /** Wandering parts, of unit variance. A low front is cold and cloudy. */
  readonly airDrift: number;
  readonly windDrift: number;
  readonly front: number;
}

export function initialWeather(site: PostSpec['site'], at: number): WeatherState {
  const airC = usualTemperatureC(site, at);
  return { airC, windMS: 3, precipitationMmH: 0, snows: false, airDrift: 0, windDrift: 0, front: 0 };
}

/** Share of the year that has passed since its coldest time, as a swing from −1 (coldest) to 1 (warmest). */
export function seasonOf(site: PostSpec['site'], at: number): number {
  const south = site.latitudeDeg < 0 ? 0.5 : 0;
  return -Math.cos(2 * Math.PI * (at / YEAR_MS - COLDEST_OF_YEAR + south));
}

/** Mean temperature of the season with the swing of the day around it. */
export function usualTemperatureC(site: PostSpec['site'], at: number): number {
  const day = Math.cos(2 * Math.PI * (hourOf(site, at) / 24 - COLDEST_OF_DAY));
  return site.meanTemperatureC + site.seasonK * seasonOf(site, at) - site.dayK * day;
}

/** Hour of the day by the devices' clock, with its fraction. */
export function hourOf(site: PostSpec['site'], at: number): number {
  const local = at + site.clockOffsetMin * 60_000;
  return (((local % DAY_MS) + DAY_MS) % DAY_MS) / 3_600_000;
}

/** Number of the day by the devices' clock. */
export function dayOf(site: PostSpec['site'], at: number): number {
  return Math.floor((at + site.clockOffsetMin * 60_000) / DAY_MS);
}

/** Share of time under cloud while this front is here: the odds of a cloud rise as the front falls. */
export function cloudShareUnder(share: number, front: number): number {
  const odds = (share / (1 - share)) * Math.exp(-front);
  return odds / (1 + odds);
}

/** @param cloudy clouds are over the post now */
export function stepWeather(
  weather: WeatherState,
  site: PostSpec['site'],
  at: number,
  dtS: number,
  cloudy: boolean,
  random: RandomStream,
): WeatherState {
  const front = wander(weather.front, dtS, FRONT_S, random);
  const airDrift = wander(weather.airDrift, dtS, 6 * 3600, random);
  const windDrift = wander(weather.windDrift, dtS, 1200, random);
  const airC = usualTemperatureC(site, at) + site.frontK * front + 1.5 * airDrift;
  return {
    airC,
    windMS: Math.max(0, 3 + 1.8 * windDrift),
    precipitationMmH: cloudy && front < WET_FRONT ? site.precipitationMmH : 0,
    snows: airC < SNOW_BELOW_C,
    airDrift,
    windDrift,
    front,
  };
}
