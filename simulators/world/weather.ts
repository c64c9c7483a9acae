// Air, wind and the warmth of buried and bare things, by season and hour.
import type { PostSpec } from './post-spec.js';
import { type RandomStream, wander } from './random.js';

const DAY_MS = 86_400_000;
const YEAR_MS = 365.25 * DAY_MS;
/** The coldest time of the year and of the day, as shares of each. */
const COLDEST_OF_YEAR = 20 / 365;
const COLDEST_OF_DAY = 5.5 / 24;

export interface WeatherState {
  readonly airC: number;
  readonly windMS: number;
  /** Surface of the line at its coldest point. */
  readonly pipeC: number;
  /** Wandering parts, of unit variance. */
  readonly airDrift: number;
  readonly windDrift: number;
}

export function initialWeather(site: PostSpec['site'], at: number): WeatherState {
  const airC = usualTemperatureC(site, at);
  return { airC, windMS: 3, pipeC: pipeTemperature(airC), airDrift: 0, windDrift: 0 };
}

/** Mean temperature of the season with the swing of the day around it. */
export function usualTemperatureC(site: PostSpec['site'], at: number): number {
  const south = site.latitudeDeg < 0 ? 0.5 : 0;
  const year = Math.cos(2 * Math.PI * (at / YEAR_MS - COLDEST_OF_YEAR + south));
  const day = Math.cos(2 * Math.PI * (hourOf(site, at) / 24 - COLDEST_OF_DAY));
  return site.meanTemperatureC - site.seasonK * year - site.dayK * day;
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

export function stepWeather(
  weather: WeatherState,
  site: PostSpec['site'],
  at: number,
  dtS: number,
  random: RandomStream,
): WeatherState {
  const airDrift = wander(weather.airDrift, dtS, 6 * 3600, random);
  const windDrift = wander(weather.windDrift, dtS, 1200, random);
  const airC = usualTemperatureC(site, at) + 1.5 * airDrift;
  const windMS = Math.max(0, 3 + 1.8 * windDrift);
  return { airC, windMS, pipeC: pipeTemperature(airC), airDrift, windDrift };
}

/** A buried line stays well above freezing and follows the air by a tenth. */
function pipeTemperature(airC: number): number {
  return 6 + 0.1 * airC;
}
