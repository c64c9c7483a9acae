// Opens the buses of a post's configuration.
import { createModbusTcpBus } from '#gateway/bus/modbus-tcp-bus.js';
import { createRtuBus, createRtuOverTcpBus } from '#gateway/bus/rtu-bus.js';
import type { BusConfig, GatewayConfig } from '#gateway/config.js';
import type { Bus } from '#gateway/ports.js';
import type { LoadedProfile } from '#profiles/catalog.js';
import type { Profile } from '#profiles/profile.js';

/** A bus for these devices' profiles. It connects when first asked. */
export function createBus(config: BusConfig, profiles: readonly Profile[]): Bus {
  const connectDelayMs = Math.max(0, ...profiles.map(({ protocol }) => protocol.connectDelayMs ?? 0));
  if (config.type === 'tcp') return createModbusTcpBus({ host: config.host, port: config.port, connectDelayMs });
  const options = { line: { baud: config.baud, parity: config.parity, stopBits: config.stopBits }, connectDelayMs };
  if (config.type === 'rtu') return createRtuBus(config.path, options);
  return createRtuOverTcpBus({ host: config.host, port: config.port }, options);
}

/** All buses of a post, by id. */
export function createBuses(
  config: GatewayConfig,
  catalog: ReadonlyMap<string, LoadedProfile>,
): ReadonlyMap<string, Bus> {
  return new Map(
    config.buses.map((bus) => {
      const profiles = config.devices.flatMap((device) => {
        const loaded = device.bus === bus.id ? catalog.get(device.profile) : undefined;
        return loaded === undefined ? [] : [loaded.profile];
      });
      return [bus.id, createBus(bus, profiles)] as const;
    }),
  );
}
