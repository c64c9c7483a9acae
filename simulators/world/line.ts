// The line from the well to the tank: frost that reaches its exposed length, ice that narrows and shuts it, the pipe that
// splits and shows it at thaw, and the column of water that stands in it. Also the well at its other end.
import type { WaterTrouble } from './disturbance.js';
import type { PostSpec } from './post-spec.js';
import { approach, clamp } from './random.js';

export interface LineState {
  /** Water at the coldest place, and with it the pipe's surface there, °C. */
  readonly waterC: number;
  /** Share of the bore that is ice. */
  readonly iceShare: number;
  /** It has been frozen through since it was last whole and warm. */
  readonly wasSolid: boolean;
  /** The pipe has split: it loses water from now on. */
  readonly isSplit: boolean;
  readonly heatingW: number;
  /** Share of the column that stands in the line while the pump does not turn: it runs out through a hole or a bad valve. */
  readonly columnShare: number;
}

/** Water comes out of the well at this warmth, °C. */
export const WELL_C = 7.4;
/** J to warm a cubic metre of water by a kelvin, and to melt one of ice. */
const WARMTH = 4186 * 1000;
const LATENT = 334e3 * 1000;
const HEATING_BELOW_C = 3;
/** Ice over this share of the bore lets nothing through. */
const SHUT = 0.95;
/** What a split pipe loses at one bar, m³/h. */
const SPLIT_M3H = 1.5;

export function soilC(airC: number): number {
  return 6 + 0.1 * airC;
}

export function initialLine(spec: PostSpec['line'], airC: number): LineState {
  const waterC = spec.exposedM > 0 ? Math.max(0.5, Math.min(WELL_C, airC)) : soilC(airC);
  return { waterC, iceShare: 0, wasSolid: false, isSplit: false, heatingW: 0, columnShare: 1 };
}

export function isShut({ iceShare }: LineState): boolean {
  return iceShare >= SHUT;
}

/** Times the friction of the clean line. Loss goes with the fifth power of the bore that is left. */
export function frictionOf({ iceShare }: LineState, { frictionFactor = 1 }: WaterTrouble): number {
  return frictionFactor * (1 - Math.min(iceShare, SHUT)) ** -2.5;
}

/** Water that holes lose at this head above ground, m³/h. */
export function lostM3h(line: LineState, headM: number, flowM3h: number, trouble: WaterTrouble): number {
  const bar = Math.max(0, headM) * 0.0981;
  const split = line.isSplit ? SPLIT_M3H * Math.sqrt(bar) : 0;
  const hole = trouble.lineHole === undefined ? 0 : trouble.lineHole.flowM3h * bar ** trouble.lineHole.exponent;
  return Math.min(flowM3h, flowM3h * (trouble.lineLeakShare ?? 0) + split + hole);
}

/** @param flowM3h that the pump sends in @param headM above the line's lowest open place */
export function stepLine(
  spec: PostSpec['line'],
  before: LineState,
  flowM3h: number,
  airC: number,
  dtS: number,
  trouble: WaterTrouble,
): LineState {
  const holed = before.isSplit || trouble.lineHole !== undefined || (trouble.backflowM3h ?? 0) > 0;
  const columnShare = flowM3h > 0 ? 1 : holed ? approach(before.columnShare, 0, dtS, 300) : before.columnShare;
  if (spec.exposedM <= 0) return { ...before, waterC: soilC(airC), columnShare };
  const heats = trouble.traceHeatingOff !== true && spec.traceHeatingW > 0 && before.waterC < HEATING_BELOW_C;
  const heatingW = heats ? spec.traceHeatingW : 0;
  const aroundC = airC + heatingW / spec.exposedM / spec.lossWMK;
  const warmed = freezeAndThaw(spec, before, flowM3h, aroundC, dtS);
  const isSplit = before.isSplit || (spec.splits && before.wasSolid && warmed.iceShare < 0.2);
  const wasSolid = (before.wasSolid || warmed.iceShare >= SHUT) && warmed.iceShare > 0;
  return { waterC: warmed.waterC, iceShare: warmed.iceShare, wasSolid, isSplit, heatingW, columnShare };
}

/**
 * A metre at the coldest place: it loses `lossWMK` for each kelvin, the flow brings the well's warmth, and what is missing
 * at 0 °C becomes ice.
 */
function freezeAndThaw(
  { boreM, lossWMK, exposedM }: PostSpec['line'],
  { waterC, iceShare }: LineState,
  flowM3h: number,
  aroundC: number,
  dtS: number,
): Pick<LineState, 'waterC' | 'iceShare'> {
  const areaM2 = (Math.PI * boreM ** 2) / 4;
  const heldJ = WARMTH * areaM2;
  const flowJ = (WARMTH * flowM3h) / 3600;
  const flows = flowM3h > 0 && iceShare < SHUT;
  const outC = flows ? aroundC + (WELL_C - aroundC) * Math.exp((-lossWMK * exposedM) / flowJ) : aroundC;
  if (iceShare > 0) {
    // At 0 °C: what comes with the flow, less what is lost to the frost.
    const gainWM = (flows ? (flowJ * WELL_C) / exposedM : 0) + lossWMK * aroundC;
    const left = clamp(iceShare - (gainWM * dtS) / (LATENT * areaM2), 0, 1);
    const deepC = left >= 1 ? approach(Math.min(0, waterC), aroundC, dtS, heldJ / lossWMK / 2) : 0;
    return { waterC: deepC, iceShare: left };
  }
  const settledC = approach(waterC, outC, dtS, flows ? 120 : heldJ / lossWMK);
  if (settledC > 0) return { waterC: settledC, iceShare: 0 };
  return { waterC: 0, iceShare: clamp((-settledC * heldJ) / (LATENT * areaM2), 1e-6, 1) };
}

export interface WellState {
  /** How far the pumping has drawn the water down, m. */
  readonly drawdownM: number;
  /** The water has fallen below the pump. */
  readonly isDry: boolean;
}

export const FULL_WELL: WellState = { drawdownM: 0, isDry: false };

/** A well's level follows what is taken within a quarter of an hour, and the pump finds water again when some has come in. */
export function stepWell(
  { wellColumnM, wellYieldM3h }: PostSpec['pump'],
  well: WellState,
  flowM3h: number,
  dtS: number,
  factor = 1,
): WellState {
  const wantedM = flowM3h / (wellYieldM3h * Math.max(1e-3, factor));
  const drawdownM = approach(well.drawdownM, wantedM, dtS, 900);
  return { drawdownM, isDry: drawdownM > (well.isDry ? 0.6 : 1) * wellColumnM };
}
