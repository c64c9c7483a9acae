// The world of one post: everything that it is at one moment, and what a step of time makes of it. Pure: no clock, and the
// random numbers come from the state.
import { type BatteryState, batteryLimits, initialBattery, socOf, stepBattery } from './battery.js';
import { type Counters, initialCounters, stepCounters } from './counters.js';
import { type Disturbance, isQuick } from './disturbance.js';
import { type DrawsState, NOBODY_DRAWS, stepDraws } from './draws.js';
import { canCarry, controlGenset, type GensetState, initialGenset, stepGenset } from './genset.js';
import { controlInverter, dispatch, type InverterState, initialInverter } from './inverter.js';
import { type LoadState, QUIET_LOAD, stepLoad } from './load.js';
import type { PostSpec } from './post-spec.js';
import { initialPump, isChanging, type PumpState, stepPump } from './pump.js';
import { type RandomStream, resumeRandom, seedFor, wander } from './random.js';
import { arrayPowerW, CLEAR_SKY, clearSunlight, type SkyState, type Sunlight, stepSky } from './sunlight.js';
import { initialTank, stepFloat, stepTank, type TankState, type TankStep } from './tank.js';
import { initialWaterMeter, stepWaterMeter, type WaterMeterState } from './water-meter.js';
import { dayOf, initialWeather, stepWeather, type WeatherState } from './weather.js';

const STREAMS = ['sky', 'weather', 'load', 'people', 'pump', 'meter', 'output'] as const;
type Stream = (typeof STREAMS)[number];

/** Water of the last step, m³. `pumped = lost in the line + into the tank`. */
export interface WaterStep extends TankStep {
  readonly pumpedM3: number;
  readonly lineLostM3: number;
  readonly inM3: number;
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
  /** What the array could give, W. */
  readonly pvAvailableW: number;
  readonly battery: BatteryState;
  readonly genset: GensetState;
  readonly inverter: InverterState;
  readonly load: LoadState;
  readonly pump: PumpState;
  readonly tank: TankState;
  readonly draws: DrawsState;
  readonly waterMeter: WaterMeterState;
  readonly counters: Counters;
  /** The last step's water, for checks. */
  readonly water: WaterStep;
  /** The pump is in hand mode. */
  readonly pumpByHand: boolean;
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
    sunlight: { horizontal: 0, onArray: 0 },
    pvAvailableW: 0,
    battery: initialBattery(spec.battery),
    genset: initialGenset(spec.genset, spec.ageDays, weather.airC),
    inverter: initialInverter(spec),
    load: QUIET_LOAD,
    pump: initialPump(spec.pump, spec.ageDays, spec.people.persons * spec.people.litresPerDay),
    tank,
    draws: NOBODY_DRAWS,
    waterMeter: initialWaterMeter(spec),
    counters: initialCounters(spec, dayOf(spec.site, startAt)),
    water: { ...NO_WATER, volumeM3: tank.volumeM3 },
    pumpByHand: false,
  };
}

/** Longest step that does not blur what is going on: a second while anything moves or goes wrong quickly, ten otherwise. */
export function longestStepMs(state: PostState, disturbance: Disturbance): number {
  const starting =
    state.genset.phase !== 'stopped' && state.genset.phase !== 'running' && state.genset.phase !== 'failed';
  return isQuick(disturbance) || isChanging(state.pump) || starting ? 1000 : 10_000;
}

/** The post after a step of `dtMs`, with what is wrong during it. */
export function stepPost(spec: PostSpec, state: PostState, dtMs: number, disturbance: Disturbance): PostState {
  const dtS = dtMs / 1000;
  const at = state.at + dtMs;
  const random = Object.fromEntries(STREAMS.map((name) => [name, resumeRandom(state.random[name])])) as Record<
    Stream,
    RandomStream
  >;
  const sky = stepSky(state.sky, dtS, spec.site.cloudShare, random.sky);
  const weather = stepWeather(state.weather, spec.site, at, dtS, random.weather);
  const sunlight = lightUnder(sky, clearSunlight(at, spec.site, spec.pv.tiltDeg, spec.pv.azimuthDeg), disturbance);
  const pvAvailableW = arrayPowerW(spec.pv.capacityW, sunlight.onArray, weather.airC, spec.pv);
  const load = stepLoad(spec, state.load, at, dtS, random.load);

  const soc = socOf(spec.battery, state.battery);
  const genset = controlGenset(spec.genset, state.genset, soc, disturbance.gensetFailsToStart === true);
  const gridAlive = spec.grid.maxW > 0 && disturbance.gridLost !== true;
  const hasSource = canCarry(genset) || gridAlive || pvAvailableW > load.wantedW;
  const inverter = controlInverter(spec, state.inverter, soc, hasSource);

  const pump = stepPump(
    spec.pump,
    state.pump,
    {
      levelAsks: state.tank.asks,
      acAlive: inverter.on,
      arrayW: arrayPowerW(spec.pump.arrayW, sunlight.onArray, weather.airC, spec.pv),
      airC: weather.airC,
    },
    disturbance,
    dtS,
    random.pump,
  );
  const wet = stepWater(spec, state, pump, disturbance, dtS, at, random);
  const flows = dispatch({
    loadW: inverter.on ? load.wantedW + (spec.pump.supply === 'ac' ? pump.powerW : 0) : 0,
    pvW: pvAvailableW,
    battery: batteryLimits(spec.battery, state.battery, dtS),
    gensetMaxW: canCarry(genset) ? spec.genset.ratedW : 0,
    gridMaxW: inverter.callsGrid && gridAlive ? spec.grid.maxW : 0,
    chargeW: canCarry(genset) ? spec.genset.chargeW : spec.grid.chargeW,
  });
  const surroundings = { airC: weather.airC, forcedSoc: disturbance.batterySoc };
  return {
    at,
    sky,
    weather,
    sunlight,
    pvAvailableW,
    load,
    pump,
    ...wet,
    battery: stepBattery(spec.battery, state.battery, flows.batteryW, dtS, surroundings),
    genset: stepGenset(spec.genset, genset, flows.gensetW, dtS, weather.airC),
    inverter: stepOutput(spec, inverter, flows, weather.airC, dtS, random.output),
    counters: stepCounters(state.counters, flows, dayOf(spec.site, at), dtS),
    pumpByHand: disturbance.pumpByHand === true,
    random: Object.fromEntries(STREAMS.map((name) => [name, random[name].state()])) as Record<Stream, number>,
  };
}

function lightUnder(sky: SkyState, clear: Sunlight, disturbance: Disturbance): Sunlight {
  return {
    horizontal: clear.horizontal * sky.factor,
    onArray: clear.onArray * sky.factor * (disturbance.sunFactor ?? 1),
  };
}

/** Line, tank, people and meter. */
function stepWater(
  spec: PostSpec,
  state: PostState,
  pump: PumpState,
  disturbance: Disturbance,
  dtS: number,
  at: number,
  random: Readonly<Record<Stream, RandomStream>>,
): Pick<PostState, 'tank' | 'draws' | 'waterMeter' | 'water'> {
  const hours = dtS / 3600;
  const pumpedM3 = pump.deliveredM3h * hours;
  const lineLostM3 = pumpedM3 * (disturbance.lineLeakShare ?? 0);
  const { draws, litres } = stepDraws(spec, state.draws, at, dtS, random.people);
  const inM3 = pumpedM3 - lineLostM3;
  const step = stepTank(spec.tank, state.tank.volumeM3, {
    inM3,
    wantedM3: litres / 1000,
    leakM3: (disturbance.tankLeakM3h ?? 0) * hours,
  });
  const tank = { ...state.tank, volumeM3: step.volumeM3, waveM: 0.002 * random.meter.normal() };
  return {
    draws,
    tank: { ...tank, ...stepFloat(spec.tank, tank, disturbance.floatStuck) },
    waterMeter: stepWaterMeter(
      spec.waterMeter,
      state.waterMeter,
      pump.deliveredM3h,
      state.weather.pipeC,
      dtS,
      random.meter,
    ),
    water: { ...step, pumpedM3, lineLostM3, inM3 },
  };
}

/** Voltages sag a little under load and wander; the frequency of an island hardly moves, a genset's does. */
function stepOutput(
  spec: PostSpec,
  inverter: InverterState,
  flows: InverterState['dispatch'],
  airC: number,
  dtS: number,
  random: RandomStream,
): InverterState {
  const [d1, d2, d3, df] = inverter.drift.map((drift) => wander(drift, dtS, 40, random)) as [
    number,
    number,
    number,
    number,
  ];
  const { voltageV, frequencyHz, ratedW } = spec.inverter;
  const sag = (4 * flows.loadW) / ratedW;
  const volts = (drift: number): number => (inverter.on ? voltageV - sag + 0.7 * drift : 0);
  const flutter = flows.gensetW > 0 ? 0.15 : flows.gridW > 0 ? 0.03 : 0.008;
  const throughputW = flows.loadW + Math.abs(flows.batteryW);
  const warmC = Math.max(spec.battery.roomMinC, airC) + 6 + (22 * throughputW) / ratedW;
  return {
    ...inverter,
    dispatch: flows,
    drift: [d1, d2, d3, df],
    voltagesV: [volts(d1), volts(d2), volts(d3)],
    frequencyHz: inverter.on ? frequencyHz + flutter * df : 0,
    heatSinkC: inverter.heatSinkC + (warmC - inverter.heatSinkC) * (1 - Math.exp(-dtS / 600)),
  };
}
