// What a post is made of: facts that do not change while it lives. Every figure has a default, so that a scenario names
// only what is special about its posts.
import { type Static, Type } from 'typebox';

const positive = { exclusiveMinimum: 0 } as const;
const strict = { additionalProperties: false, default: {} } as const;
const number = (value: number, limits: object = {}) => Type.Number({ default: value, ...limits });
const share = (value: number) => Type.Number({ default: value, minimum: 0, maximum: 1 });

export const SiteSchema = Type.Object(
  {
    latitudeDeg: number(38.5, { minimum: -66, maximum: 66 }),
    longitudeDeg: number(73.5, { minimum: -180, maximum: 180 }),
    altitudeM: number(3800, { minimum: -400, maximum: 6000 }),
    /** What the devices' clocks are set to, minutes ahead of UTC. Day counters start again at their midnight. */
    clockOffsetMin: Type.Integer({ default: 300, minimum: -720, maximum: 840 }),
    /** Mean air temperature of the year, °C. */
    meanTemperatureC: number(-1),
    /** Half the difference between the warmest and the coldest month, K. */
    seasonK: number(14, { minimum: 0 }),
    /** Half the difference between afternoon and dawn, K. */
    dayK: number(8, { minimum: 0 }),
    /** Share of time under cloud. */
    cloudShare: Type.Number({ default: 0.25, minimum: 0, maximum: 0.95 }),
    /** Standard deviation of the temperature between fronts, K: weather that stays for days. */
    frontK: number(2.5, { minimum: 0 }),
    /** What a wet front lets fall, as water, mm in an hour. */
    precipitationMmH: number(0.4, { minimum: 0 }),
  },
  strict,
);

export const PvSchema = Type.Object(
  {
    capacityW: number(8000, { minimum: 0 }),
    tiltDeg: number(38, { minimum: 0, maximum: 90 }),
    /** Clockwise from north. */
    azimuthDeg: number(180, { minimum: 0, maximum: 360 }),
    /** Dirt, wiring and conversion. */
    performance: share(0.9),
    /** Power lost per kelvin above 25 °C. */
    temperatureCoefficient: number(0.004, { minimum: 0 }),
    /** Share of the array on each string. */
    strings: Type.Array(Type.Number(positive), { default: [0.52, 0.48], minItems: 1, maxItems: 4 }),
    stringVoltageV: number(390, positive),
    /** Share of light that dust takes each day until it rains. */
    dustPerDay: share(0.0008),
  },
  strict,
);

export const BatterySchema = Type.Object(
  {
    capacityWh: number(20_000, positive),
    chemistry: Type.Union([Type.Literal('lfp'), Type.Literal('lead')], { default: 'lfp' }),
    /** In series: 16 of LiFePO4 or 24 of lead-acid for 48 V. */
    cells: Type.Integer({ default: 16, minimum: 4 }),
    /** Share of the capacity of a new pack that `capacityWh` is, %. */
    startSoh: number(97, { exclusiveMinimum: 0, maximum: 100 }),
    /** State of charge by which the weakest cell is behind the strongest, %. */
    cellSpreadSoc: number(0.6, { minimum: 0, maximum: 50 }),
    resistanceOhm: number(0.012, { minimum: 0 }),
    chargeEfficiency: Type.Number({ default: 0.975, exclusiveMinimum: 0, maximum: 1 }),
    dischargeEfficiency: Type.Number({ default: 0.975, exclusiveMinimum: 0, maximum: 1 }),
    maxChargeA: number(150, { minimum: 0 }),
    maxDischargeA: number(200, { minimum: 0 }),
    /** State of charge below which the battery gives nothing, %. */
    minSoc: number(5, { minimum: 0, maximum: 100 }),
    startSoc: number(70, { minimum: 0, maximum: 100 }),
    /** The room it stands in, above the outside air, with this floor. */
    roomMinC: number(12),
  },
  strict,
);

export const InverterSchema = Type.Object(
  {
    ratedW: number(12_000, positive),
    serial: Type.String({ default: '2207014321', pattern: '^[0-9A-Za-z-]{1,10}$' }),
    voltageV: number(230, positive),
    frequencyHz: number(50, positive),
  },
  strict,
);

export const GridSchema = Type.Object(
  {
    /** Most that the post may draw, W. 0: there is no grid. */
    maxW: number(0, { minimum: 0 }),
    /** Charges and carries the load from `startSoc` until `stopSoc`. */
    startSoc: number(45, { minimum: 0, maximum: 100 }),
    stopSoc: number(75, { minimum: 0, maximum: 100 }),
    chargeW: number(3000, { minimum: 0 }),
  },
  strict,
);

export const GensetSchema = Type.Object(
  {
    /** 0: there is none. */
    ratedW: number(0, { minimum: 0 }),
    startSoc: number(35, { minimum: 0, maximum: 100 }),
    stopSoc: number(70, { minimum: 0, maximum: 100 }),
    chargeW: number(4000, { minimum: 0 }),
    crankS: number(8, positive),
    warmUpS: number(20, { minimum: 0 }),
    coolDownS: number(60, { minimum: 0 }),
    /** Heats the block of the standing engine up to `blockHeaterC`, W. */
    blockHeaterW: number(300, { minimum: 0 }),
    blockHeaterC: number(15),
    /** Air below this gels the fuel, °C: arctic diesel of class 4 (EN 590). */
    fuelGelsC: number(-44),
    fuelTankL: number(200, positive),
    startFuelL: number(140, { minimum: 0 }),
    /** The lorry with fuel comes so often and fills the tank, days. 0: never. */
    refuelDays: number(30, { minimum: 0 }),
  },
  strict,
);

export const LoadSchema = Type.Object(
  {
    /** Mean over the day without the pump, W. */
    meanW: number(650, { minimum: 0 }),
    /** Kettles, heaters, welding: power of one, and how many a day. */
    applianceW: number(1600, { minimum: 0 }),
    appliancesPerDay: number(14, { minimum: 0 }),
    /** How much more it is at the weekend, and in the coldest month than in the mean. */
    weekendShare: share(0.08),
    winterShare: share(0.1),
    powerFactor: Type.Number({ default: 0.96, exclusiveMinimum: 0, maximum: 1 }),
    phaseShares: Type.Tuple([Type.Number(positive), Type.Number(positive), Type.Number(positive)], {
      default: [0.4, 0.33, 0.27],
    }),
  },
  strict,
);

export const PumpSchema = Type.Object(
  {
    /** `ac`: from the post's inverter. `solar`: a drive on an array of its own. `none`: the post has no pump. */
    supply: Type.Union([Type.Literal('ac'), Type.Literal('solar'), Type.Literal('none')], { default: 'ac' }),
    /** Head at no flow and rated speed, m. */
    shutOffHeadM: number(80, positive),
    /** Head lost inside the pump, m per (m³/h)². */
    slope: number(2, positive),
    /** Flow of best efficiency at rated speed, m³/h. */
    bestFlowM3h: number(3, positive),
    bestEfficiency: share(0.52),
    motorEfficiency: share(0.75),
    driveEfficiency: share(0.96),
    ratedFrequencyHz: number(50, positive),
    ratedSpeedRpm: number(2900, positive),
    motorVoltageV: number(230, positive),
    /** From the water in the well to the inlet of the tank, m. */
    staticHeadM: number(45, positive),
    /** Of which below the well's mouth, m. */
    wellDepthM: number(28, { minimum: 0 }),
    /** Water above the pump while it stands, m, and what comes in for each metre drawn down, m³/h. */
    wellColumnM: number(18, positive),
    wellYieldM3h: number(25, positive),
    /** Friction of the line, m per (m³/h)². */
    friction: number(2.4, { minimum: 0 }),
    /** Array of a solar drive, W. */
    arrayW: number(2000, { minimum: 0 }),
    /** Share of rated speed gained in a second on AC; a solar drive takes 2 %/s. */
    rampPerS: number(0.1, positive),
    /** Seconds of underload after which the drive stops by itself. 0: it has no such protection. */
    dryRunTripS: number(0, { minimum: 0 }),
    /** Minutes until a tripped drive tries again. */
    retryMin: number(30, positive),
  },
  strict,
);

export const LineSchema = Type.Object(
  {
    /** Length that the frost can reach, m: valve chamber, riser, crossing. 0: all of it lies deep. */
    exposedM: number(0, { minimum: 0 }),
    boreM: number(0.0326, positive),
    /** Heat that a metre loses for each kelvin, W: 0.317 with 20 mm of insulation, 0.176 with 50 mm. */
    lossWMK: number(0.317, positive),
    /** Heating cable along the exposed length, W. It goes on below 3 °C. */
    traceHeatingW: number(0, { minimum: 0 }),
    /** The pipe splits where it froze through. */
    splits: Type.Boolean({ default: false }),
  },
  strict,
);

export const TankSchema = Type.Object(
  {
    areaM2: number(4.91, positive),
    heightM: number(2.04, positive),
    /** Fill at which the float stops the pump, where it starts again, and where the overflow pipe sits, %. */
    fullFill: number(95, { minimum: 0, maximum: 100 }),
    restartFill: number(85, { minimum: 0, maximum: 100 }),
    overflowFill: number(98, { minimum: 0, maximum: 100 }),
    startFill: number(88, { minimum: 0, maximum: 100 }),
  },
  strict,
);

export const PeopleSchema = Type.Object(
  {
    persons: number(40, { minimum: 0 }),
    litresPerDay: number(60, { minimum: 0 }),
  },
  strict,
);

export const WaterMeterSchema = Type.Object(
  {
    rangeM3h: number(5, positive),
    /** Flow below this share of the range is shown as zero. */
    cutOff: share(0.01),
    noise: share(0.01),
    responseS: number(3, positive),
    startVolumeM3: number(1830.25, { minimum: 0 }),
  },
  strict,
);

export const PostSpecSchema = Type.Object(
  {
    site: SiteSchema,
    pv: PvSchema,
    battery: BatterySchema,
    inverter: InverterSchema,
    grid: GridSchema,
    genset: GensetSchema,
    load: LoadSchema,
    pump: PumpSchema,
    line: LineSchema,
    tank: TankSchema,
    people: PeopleSchema,
    waterMeter: WaterMeterSchema,
    /** Days that the post has been at work: what the counters have counted by the start. */
    ageDays: number(400, { minimum: 0 }),
  },
  { additionalProperties: false, default: {} },
);

/** Everything that a post's world needs to know. Make one with `specOf` in `scenarios/scenario.ts`. */
export type PostSpec = Static<typeof PostSpecSchema>;
export type PumpSpec = PostSpec['pump'];
export type BatterySpec = PostSpec['battery'];
export type TankSpec = PostSpec['tank'];
