// What must add up over a day: the energy of a post's bus, and the water of its tank. From what the store has rolled up; a part
// that is not known leaves the sum unknown, and what does not add up is told.
import { tankBalance } from './balance.js';
import { exactSum } from './exact-sum.js';
import type { WindowRollup } from './series-rollup.js';

/** Why a figure is not known, or is known and may be wrong. */
export const BALANCE_DOUBTS = [
  /** The post has this, and no register or sensor tells how much. */
  'noMeter',
  /** Nothing came in this window. */
  'noData',
  /** Readings came, but no two that could be compared. */
  'noStep',
  /** For more than a twentieth of the window nothing is known. */
  'gaps',
  /** A register jumped, was reset or counted on over a gap: the true figure may be larger, or belong to another day. */
  'estimated',
  /** Worked out from a mean of power, for want of a register. */
  'fromPower',
] as const;
export type BalanceDoubt = (typeof BALANCE_DOUBTS)[number];

export interface BalanceFigure {
  /** Wh or m³. null with at least one doubt. */
  readonly value: number | null;
  /** 0..1, the least of its parts; 0 where there is none. */
  readonly coverage: number;
  readonly doubts: readonly BalanceDoubt[];
}

/** A series in a window; `undefined` where the store knows nothing of it. */
export type BalanceInput = WindowRollup | undefined;

/** Series that together tell one side of a balance. All count: with one of them unknown the side is unknown. */
export interface BalanceSide {
  /** Counters of what went in the side's positive direction, or, by `power`, gauges of W that may be negative. */
  readonly by: 'counter' | 'power';
  readonly forward: readonly BalanceInput[];
  /** Counters of what went the other way. */
  readonly back: readonly BalanceInput[];
}

/** The sides of a bus. Left out: the post has no such thing. */
export const ENERGY_SIDES = ['pv', 'genset', 'grid', 'battery', 'load'] as const;
export type EnergySide = (typeof ENERGY_SIDES)[number];

/** What makes a figure whole: so much of the window must be known. */
export const WHOLE_COVERAGE = 0.95;

const HOUR_MS = 3_600_000;
const UNKNOWN: BalanceFigure = { value: null, coverage: 0, doubts: ['noData'] };

function figureOf(value: number | null, coverage: number, doubts: Iterable<BalanceDoubt>): BalanceFigure {
  return { value, coverage, doubts: [...new Set(doubts)] };
}

/** The increase of one counter. */
function counted(window: BalanceInput): BalanceFigure {
  if (window?.kind !== 'counter') return UNKNOWN;
  const { coverage, estimated, increase } = window;
  const doubts: BalanceDoubt[] = [];
  if (increase === null) doubts.push(window.count === 0 ? 'noData' : 'noStep');
  if (coverage < WHOLE_COVERAGE) doubts.push('gaps');
  if (estimated) doubts.push('estimated');
  return figureOf(increase, coverage, doubts);
}

/** Wh from a mean of W. A mean over part of a day says nothing of the rest. */
function fromPower(window: BalanceInput): BalanceFigure {
  if (window?.kind !== 'gauge' || window.mean === null) return UNKNOWN;
  const { coverage, from, mean, to } = window;
  if (coverage < WHOLE_COVERAGE) return figureOf(null, coverage, ['gaps', 'fromPower']);
  return figureOf((mean * (to - from)) / HOUR_MS, coverage, ['fromPower']);
}

/** Figures as one. Without one of them the sum would pass for more than it is, so it is unknown. */
function sumOf(parts: readonly BalanceFigure[]): BalanceFigure {
  if (parts.length === 0) return { value: null, coverage: 0, doubts: ['noMeter'] };
  const known = parts.map(({ value }) => value).filter((value) => value !== null);
  const coverage = Math.min(...parts.map((part) => part.coverage));
  const doubts = parts.flatMap((part) => part.doubts);
  return figureOf(known.length < parts.length ? null : exactSum(known), coverage, doubts);
}

function negative(figure: BalanceFigure): BalanceFigure {
  // Zero has no other side.
  return { ...figure, value: figure.value === null ? null : 0 - figure.value };
}

/** What went forward less what went back. */
function sideFigure({ back, by, forward }: BalanceSide): BalanceFigure {
  const read = by === 'power' ? fromPower : counted;
  return forward.length === 0 ? sumOf([]) : sumOf([...forward.map(read), ...back.map((part) => negative(read(part)))]);
}

export interface EnergyBalance {
  /** Wh, positive into the bus, the load positive in its own direction. Only the sides that the post has. */
  readonly sides: Partial<Readonly<Record<EnergySide, BalanceFigure>>>;
  /** pv + genset + grid + battery, Wh. */
  readonly supply: BalanceFigure;
  /** supply − load, Wh: conversion loss, own use, and what nobody measures. Negative where a meter is wrong. */
  readonly residual: BalanceFigure;
  /** True where every figure is known and without a doubt but that of its method. */
  readonly isWhole: boolean;
}

/** The energy of one window of a post: pv + genset + grid + battery = load + residual. */
export function energyBalance(sides: Partial<Readonly<Record<EnergySide, BalanceSide>>>): EnergyBalance {
  const figures: Partial<Record<EnergySide, BalanceFigure>> = {};
  for (const name of ENERGY_SIDES) {
    const side = sides[name];
    if (side !== undefined) figures[name] = sideFigure(side);
  }
  const supplies = ENERGY_SIDES.filter((name) => name !== 'load').flatMap((name) => figures[name] ?? []);
  const supply = sumOf(supplies);
  const residual = sumOf([supply, negative(figures.load ?? sumOf([]))]);
  return { sides: figures, supply, residual, isWhole: isWhole(residual) };
}

function isWhole({ doubts, value }: BalanceFigure): boolean {
  return value !== null && doubts.every((doubt) => doubt === 'fromPower');
}

/** One tank: its volume by a gauge of m³, or by one of m and the volume of a metre. */
export interface TankInput {
  readonly window: BalanceInput;
  /** 1 for a gauge of m³; null where the post's facts do not tell it. */
  readonly m3PerUnit: number | null;
}

/** Counters of m³. Left out: the post has no such thing. */
export interface WaterSides {
  /** Into the tank. */
  readonly pumped?: BalanceSide;
  /** Out of it, through meters. */
  readonly consumed?: BalanceSide;
  /** Empty where the post has none. */
  readonly tanks: readonly TankInput[];
}

export interface WaterBalance {
  /** m³, all of them. */
  readonly pumped: BalanceFigure;
  readonly consumed: BalanceFigure;
  /** What the tanks hold more at the end than at the start. */
  readonly gained: BalanceFigure;
  /** pumped − gained: what left the tanks in any way. Known without a meter behind them. */
  readonly drawn: BalanceFigure;
  /** pumped − consumed − gained: leak, overflow or use without a meter; negative where more arrived than was measured. */
  readonly unaccounted: BalanceFigure;
  /** True where every figure is known and without a doubt. */
  readonly isWhole: boolean;
}

function gainOf({ m3PerUnit, window }: TankInput): BalanceFigure {
  if (window?.kind !== 'gauge' || window.first === null || window.last === null) return UNKNOWN;
  const { coverage, first, last } = window;
  const doubts: BalanceDoubt[] = coverage < WHOLE_COVERAGE ? ['gaps'] : [];
  if (m3PerUnit === null) return figureOf(null, coverage, ['noMeter', ...doubts]);
  const { gainedM3 } = tankBalance({
    volumeStartM3: first * m3PerUnit,
    volumeEndM3: last * m3PerUnit,
    inflowM3: null,
    outflowM3: null,
  });
  return figureOf(gainedM3, coverage, doubts);
}

/** The water of one window of a post: pumped = consumed + gained + unaccounted. */
export function waterBalance({ consumed, pumped, tanks }: WaterSides): WaterBalance {
  const intoTank = pumped === undefined ? sumOf([]) : sideFigure(pumped);
  const outOfTank = consumed === undefined ? sumOf([]) : sideFigure(consumed);
  const gained = sumOf(tanks.map(gainOf));
  const drawn = sumOf([intoTank, negative(gained)]);
  const unaccounted = sumOf([drawn, negative(outOfTank)]);
  return { pumped: intoTank, consumed: outOfTank, gained, drawn, unaccounted, isWhole: isWhole(unaccounted) };
}
