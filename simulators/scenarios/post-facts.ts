// What a post's owner knows of it, told by the scenario: the facts that the server's configuration asks for.
import { deadHeadPowerW, operatingPoint } from '../world/pump-curve.js';
import { fullVolumeM3 } from '../world/tank.js';
import type { ScenarioPost } from './scenario.js';

/** Facts of one post, named and in units as the server's `posts:` has them. */
export interface PostFacts {
  readonly id: string;
  readonly name: string;
  readonly zone: string;
  readonly latitude: number;
  readonly longitude: number;
  readonly altitudeM: number;
  readonly pvCapacityW?: number;
  readonly pvTiltDeg: number;
  readonly pvAzimuthDeg: number;
  readonly batteryCapacityWh: number;
  readonly tankVolumeM3: number;
  readonly tankHeightM: number;
  /** Where the post has a pump among its devices: what commissioning would have measured. */
  readonly pump?: {
    readonly device: string;
    readonly meter?: string;
    readonly type: 'centrifugal';
    readonly ratedFrequencyHz: number;
    readonly deadHeadPowerW: number;
    readonly staticHeadM: number;
    readonly shutOffHeadM: number;
    readonly ratedFlowM3h: number;
    readonly flowMeterCutoffM3h: number;
  };
}

/** @param kindOf kind of the profile with this id, to find the pump among the devices */
export function postFactsOf(post: ScenarioPost, kindOf: (profile: string) => string | undefined): PostFacts {
  const { site, pv, battery, tank, pump, waterMeter } = post.world;
  const device = post.devices.find(({ profile }) => kindOf(profile) === 'pump');
  const meter = post.devices.find(({ role }) => role === 'pump');
  const round = (value: number): number => Number(value.toFixed(3));
  return {
    id: post.id,
    name: post.name,
    zone: post.zone,
    latitude: site.latitudeDeg,
    longitude: site.longitudeDeg,
    altitudeM: site.altitudeM,
    ...(pv.capacityW > 0 ? { pvCapacityW: pv.capacityW } : {}),
    pvTiltDeg: pv.tiltDeg,
    pvAzimuthDeg: pv.azimuthDeg,
    batteryCapacityWh: battery.capacityWh,
    tankVolumeM3: round(fullVolumeM3(tank)),
    tankHeightM: tank.heightM,
    ...(device === undefined || pump.supply === 'none'
      ? {}
      : {
          pump: {
            device: device.id,
            ...(meter === undefined ? {} : { meter: meter.id }),
            type: 'centrifugal' as const,
            ratedFrequencyHz: pump.ratedFrequencyHz,
            deadHeadPowerW: round(deadHeadPowerW(pump, 1)),
            staticHeadM: pump.staticHeadM,
            shutOffHeadM: pump.shutOffHeadM,
            ratedFlowM3h: round(operatingPoint(pump, pump, 1).flowM3h),
            flowMeterCutoffM3h: round(waterMeter.cutOff * waterMeter.rangeM3h),
          },
        }),
  };
}
