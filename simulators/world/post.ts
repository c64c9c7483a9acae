// The world of one post: everything that it is at one moment, and what a step of time makes of it. Pure: no clock, and the
// random numbers come from the state.
import { type ArrayCover, CLEAN_ARRAY, stepArrayCover, throughCover } from './array-cover.js';
import { type BatteryState, batteryLimits, initialBattery, socOf, stepBattery } from './battery.js';
import { type Counters, initialCounters, stepCounters } from './counters.js';
import { type Disturbance, isQuick } from './disturbance.js';
import { type DrawsState, NOBODY_DRAWS } from './draws.js';
import {
  blockHeaterPowerW,
  controlGenset,
  type GensetState,
  gensetMostW,
  initialGenset,
  stepGenset,
} from './genset.js';
import { controlInverter, dispatch, type InverterState, initialInverter, stepOutput } from './inverter.js';
import { FULL_WELL, initialLine, type LineState, type WellState } from './line.js';
import { type LoadState, QUIET_LOAD, stepLoad } from './load.js';
import type { PostSpec } from './post-spec.js';
import { stepWater } from './post-water.js';
import { initialPump, isChanging, type PumpState } from './pump.js';
import { type RandomStream, SeededStream, seedFor } from './random.js';
import {
  arrayPowerW,
  CLEAR_SKY,
  clearSunlight,
  DARKNESS,
  type SkyState,
  type Sunlight,
  stepSky,
  stringPowersW,
} from './sunlight.js';
import { initialTank, type TankState, type TankStep } from './tank.js';
import { initialWaterMeter, type WaterMeterState } from './water-meter.js';
import { cloudShareUnder, dayOf, initialWeather, stepWeather, type WeatherState } from './weather.js';

const STREAMS = ['sky', 'weather', 'load', 'people', 'pump', 'meter', 'output'] as const;
type Stream = (typeof STREAMS)[number];

/**
 * Water of the last step, m³: `pumped = lost in the line + into the tank`, and in the tank
 * `volume after = before − returned + in − drawn − leaked − overflow`.
 */
export interface WaterStep extends TankStep {
  readonly pumpedM3: number;
  readonly lineLostM3: number;
  readonly inM3: number;
  /** Ran back through the line into the well. */
  readonly returnedM3: number;
}

/** A post at one moment. Plain data: a copy of it goes on exactly as the original does. */
export interface PostState {
  /** Epoch ms. */
  readonly at: number;
  readonly random: Readonly<Record<Stream, number>>;
  readonly sky: SkyState;
  readonly weather: WeatherState;
  /** Under the clouds of the moment. */
  readonly sunlight: Sunlight;
  readonly cover: ArrayCover;
  /** What the array could give, W: in all, and on each string. */
  readonly pvAvailableW: number;
  readonly stringsW: readonly number[];
  readonly battery: BatteryState;
  readonly genset: GensetState;
  readonly inverter: InverterState;
  readonly load: LoadState;
  readonly pump: PumpState;
  readonly well: WellState;
  readonly line: LineState;
  readonly tank: TankState;
  readonly draws: DrawsState;
  readonly waterMeter: WaterMeterState;
  readonly counters: Counters;
  /** The last step's water, for checks. */
  readonly water: WaterStep;
  /** The pump is in hand mode. */
  readonly pumpByHand: boolean;
  /** What the irradiance sensor shows, W/m², and whether the surge protector still protects. */
  readonly shownIrradiance: number;
  readonly surgeProtected: boolean;
}

const NO_WATER: WaterStep = {
  volumeM3: 0,
  drawnM3: 0,
  leakedM3: 0,
  overflowM3: 0,
  missingM3: 0,
  pumpedM3: 0,
  lineLostM3: 0,
  inM3: 0,
  returnedM3: 0,
};

/** A post at its start. The same seed gives the same post. */
export function createPost(spec: PostSpec, startAt: number, seed: number): PostState {
  const random = Object.fromEntries(STREAMS.map((stream) => [stream, seedFor(seed, stream)])) as Record<Stream, number>;
  const weather = initialWeather(spec.site, startAt);
  const tank = initialTank(spec.tank);
  return {
    at: startAt,
    random,
    sky: CLEAR_SKY,
    weather,
    sunlight: DARKNESS,
    cover: CLEAN_ARRAY,
    pvAvailableW: 0,
    stringsW: spec.pv.strings.map(() => 0),
    battery: initialBattery(spec.battery),
    genset: initialGenset(spec.genset, spec.ageDays, weather.airC),
    inverter: initialInverter(spec),
    load: QUIET_LOAD,
    pump: initialPump(spec.pump, spec.ageDays, spec.people.persons * spec.people.litresPerDay),
    well: FULL_WELL,
    line: initialLine(spec.line, weather.airC),
    tank,
    draws: NOBODY_DRAWS,
    waterMeter: initialWaterMeter(spec),
    counters: initialCounters(spec, dayOf(spec.site, startAt)),
    water: { ...NO_WATER, volumeM3: tank.volumeM3 },
    pumpByHand: false,
    shownIrradiance: 0,
    surgeProtected: true,
  };
}

/** Longest step that does not blur what is going on: a second while anything moves or goes wrong quickly, ten otherwise. */
export function longestStepMs(state: PostState, disturbance: Disturbance): number {
  const starting =
    state.genset.phase !== 'stopped' && state.genset.phase !== 'running' && state.genset.phase !== 'failed';
  return isQuick(disturbance) || isChanging(state.pump) || starting ? 1000 : 10_000;
}

type Streams = Readonly<Record<Stream, RandomStream>>;

function resume(from: PostState['random']): Streams {
  return {
    sky: new SeededStream(from.sky),
    weather: new SeededStream(from.weather),
    load: new SeededStream(from.load),
    people: new SeededStream(from.people),
    pump: new SeededStream(from.pump),
    meter: new SeededStream(from.meter),
    output: new SeededStream(from.output),
  };
}

function remember(random: Streams): PostState['random'] {
  return {
    sky: random.sky.state(),
    weather: random.weather.state(),
    load: random.load.state(),
    people: random.people.state(),
    pump: random.pump.state(),
    meter: random.meter.state(),
    output: random.output.state(),
  };
}

/** The post after a step of `dtMs`, with what is wrong during it. */
export function stepPost(spec: PostSpec, state: PostState, dtMs: number, disturbance: Disturbance): PostState {
  const dtS = dtMs / 1000;
  const at = state.at + dtMs;
  const random = resume(state.random);
  const above = stepAbove(spec, state, at, dtS, disturbance, random);
  const { airC } = above.weather;
  const load = stepLoad(spec, state.load, at, dtS, random.load);

  const soc = socOf(state.battery);
  const genset = controlGenset(spec.genset, state.genset, soc, airC, disturbance);
  const gensetMaxW = gensetMostW(spec.genset, genset);
  const gridAlive = spec.grid.maxW > 0 && disturbance.gridLost !== true;
  const hasSource = gensetMaxW > 0 || gridAlive || above.pvAvailableW > load.wantedW;
  const inverter = controlInverter(spec, state.inverter, soc, hasSource, disturbance);

  const surroundings = {
    at,
    airC,
    acAlive: inverter.on,
    arrayW: arrayPowerW(spec.pump.arrayW, above.sunlight.onArray, airC, spec.pv),
  };
  const wet = stepWater(spec, state, surroundings, disturbance, dtS, random);
  const heaterW = inverter.on ? blockHeaterPowerW(spec.genset, genset, disturbance) : 0;
  const pumpW = spec.pump.supply === 'ac' ? wet.pump.powerW : 0;
  const limits = batteryLimits(spec.battery, state.battery, dtS, disturbance);
  const stands = inverter.fault === 'hardware' || inverter.fault === 'insulation' || inverter.fault === 'overheated';
  const flows = dispatch({
    loadW: inverter.on ? load.wantedW + pumpW + heaterW + wet.line.heatingW + (disturbance.extraLoadW ?? 0) : 0,
    pvW: stands ? 0 : above.pvAvailableW,
    battery: limits,
    gensetMaxW: stands ? 0 : gensetMaxW,
    gridMaxW: inverter.callsGrid && gridAlive && !stands ? spec.grid.maxW : 0,
    chargeW: gensetMaxW > 0 ? (disturbance.gensetChargeW ?? spec.genset.chargeW) : spec.grid.chargeW,
  });
  return {
    at,
    sky: above.sky,
    weather: above.weather,
    sunlight: above.sunlight,
    cover: above.cover,
    pvAvailableW: above.pvAvailableW,
    stringsW: above.stringsW,
    shownIrradiance: above.shownIrradiance,
    load,
    pump: wet.pump,
    well: wet.well,
    line: wet.line,
    draws: wet.draws,
    tank: wet.tank,
    waterMeter: wet.waterMeter,
    water: wet.water,
    pumpByHand: wet.pumpByHand,
    battery: stepBattery(spec.battery, state.battery, flows.batteryW, dtS, { airC, limits, trouble: disturbance }),
    genset: stepGenset(
      spec.genset,
      genset,
      { powerW: flows.gensetW, airC, acAlive: inverter.on, heaterW, trouble: disturbance },
      dtS,
    ),
    inverter: stepOutput(spec, inverter, flows, airC, dtS, random.output, disturbance),
    counters: stepCounters(state.counters, flows, dayOf(spec.site, at), dtS),
    surgeProtected: disturbance.surgeProtectorGone !== true,
    random: remember(random),
  };
}

type AbovePart = 'sky' | 'weather' | 'sunlight' | 'cover' | 'pvAvailableW' | 'stringsW' | 'shownIrradiance';

/** Sky, weather, what lies on the array, and what it could give. */
function stepAbove(
  spec: PostSpec,
  state: PostState,
  at: number,
  dtS: number,
  disturbance: Disturbance,
  random: Streams,
): Pick<PostState, AbovePart> {
  const sky = stepSky(state.sky, dtS, cloudShareUnder(spec.site.cloudShare, state.weather.front), random.sky);
  const weather = stepWeather(state.weather, spec.site, at, dtS, sky.cloudy, random.weather);
  const clear = clearSunlight(at, spec.site, spec.pv);
  const onPlane = clear.onPlane * sky.factor;
  const cover = stepArrayCover(state.cover, weather, spec.pv, onPlane, dtS, disturbance);
  const sunlight = {
    horizontal: clear.horizontal * sky.factor,
    onPlane,
    onArray: onPlane * throughCover(cover) * (disturbance.sunFactor ?? 1),
  };
  const wholeW =
    disturbance.arrayOff === true ? 0 : arrayPowerW(spec.pv.capacityW, sunlight.onArray, weather.airC, spec.pv);
  const stringsW = stringPowersW(wholeW, spec.pv.strings, disturbance.stringFactors);
  return {
    sky,
    weather,
    sunlight,
    cover,
    stringsW,
    pvAvailableW: stringsW.reduce((sum, watts) => sum + watts, 0),
    shownIrradiance: sunlight.horizontal * (disturbance.irradianceFactor ?? 1),
  };
}
