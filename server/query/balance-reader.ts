// The balances of a post's days, from the windows that are true to every point.
import type { Birth } from '#contract/session.js';
import { type ChosenSide, chooseEnergySides, chooseWaterSides, type SeriesRef } from '#domain/balance-series.js';
import {
  type BalanceInput,
  type BalanceSide,
  type EnergyBalance,
  type EnergySide,
  energyBalance,
  type WaterBalance,
  waterBalance,
} from '#domain/day-balance.js';
import { ok, type Result } from '#domain/result.js';
import type { Window } from '#domain/window.js';
import type { PostConfig } from '../config.js';
import type { StoreFault } from '../ports.js';
import type { WindowsReader } from './windows-reader.js';

export interface BalanceReaderDeps {
  readonly windows: Pick<WindowsReader, 'read' | 'isClosed'>;
  readonly birth: Birth;
  /** Of the post; they tell the volume of its tank. */
  readonly facts: Pick<PostConfig, 'tankVolumeM3' | 'tankHeightM'>;
}

export interface DayBalance extends Window {
  readonly closed: boolean;
  /** Absent where the post has nothing that takes part. */
  readonly energy?: EnergyBalance;
  readonly water?: WaterBalance;
}

/** @param days of the post, side by side; one that is not over ends now */
export async function readBalances(
  post: string,
  days: readonly Window[],
  { birth, facts, windows }: BalanceReaderDeps,
): Promise<Result<readonly DayBalance[], StoreFault>> {
  const has = (device: string, metric: string): boolean =>
    birth.metrics.some((known) => known.device === device && known.metric === metric && known.retired !== true);
  const sides = chooseEnergySides(birth.devices, has);
  const water = chooseWaterSides(birth.devices, has, facts);
  const refs = [...Object.values(sides), ...(water.pumped === undefined ? [] : [water.pumped])]
    .flatMap(({ back, forward }) => [...forward, ...back])
    .concat(water.tanks);
  const read = new Map<string, ReadonlyMap<number, BalanceInput>>();
  for (const { device, metric } of refs) {
    const found = await windows.read({ post, device, metric }, 'day', days[0]?.from ?? 0, days.at(-1)?.to ?? 0);
    if (!found.ok) return found;
    read.set(`${device}/${metric}`, new Map(found.value.map((window) => [window.from, window])));
  }
  return ok(
    days.map(({ from, to }) => {
      const of = ({ device, metric }: SeriesRef): BalanceInput => read.get(`${device}/${metric}`)?.get(from);
      const sideOf = ({ back, by, forward }: ChosenSide): BalanceSide => ({
        by,
        forward: forward.map(of),
        back: back.map(of),
      });
      const energy = Object.entries(sides).map(([name, side]) => [name as EnergySide, sideOf(side)] as const);
      const hasWater = water.pumped !== undefined || water.tanks.length > 0;
      const tanks = water.tanks.map((tank) => ({ window: of(tank), m3PerUnit: tank.m3PerUnit }));
      const pumped = water.pumped && sideOf(water.pumped);
      return {
        from,
        to,
        closed: refs.every(({ device, metric }) => windows.isClosed({ post, device, metric }, to)),
        ...(energy.length > 0 && { energy: energyBalance(Object.fromEntries(energy)) }),
        ...(hasWater && { water: waterBalance({ tanks, ...(pumped !== undefined && { pumped }) }) }),
      };
    }),
  );
}
