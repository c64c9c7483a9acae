// Opens one post's gateway: identity, outbox, buses, reader, uplink, put together around the pure parts.
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Clock, ClockQuality, Random, Scheduler } from '#domain/clock.js';
import { failed, ok, type Result } from '#domain/result.js';
import type { GatewayConfig } from '#gateway/config.js';
import { createGateway, type Gateway } from '#gateway/gateway.js';
import { openIdentity } from '#gateway/identity.js';
import { openSqliteOutbox } from '#gateway/outbox/sqlite-outbox.js';
import { createPostReader } from '#gateway/poll/post-reader.js';
import type { Log } from '#gateway/uplink/log.js';
import { mqttCarrier } from '#gateway/uplink/mqtt-carrier.js';
import type { LoadedProfile } from '#profiles/catalog.js';
import { createBuses } from './buses.js';
import { type CommandFault, fault } from './command.js';
import { VERSION } from './places.js';

export interface PostGatewayDeps {
  readonly catalog: ReadonlyMap<string, LoadedProfile>;
  readonly clock: Clock;
  readonly scheduler: Scheduler;
  readonly random: Random;
  readonly log: Log;
  readonly clockQuality: () => ClockQuality;
  readonly birthSpreadMs?: number;
  /** Of the machine, where the clock's monotonic time counts from its boot. */
  readonly boot?: string;
}

/** Opens what a gateway needs. It runs from `start` on; `stop` closes all of it. */
export function openGateway(config: GatewayConfig, deps: PostGatewayDeps): Result<Gateway, CommandFault> {
  let ca: string | undefined;
  try {
    mkdirSync(config.dataFolder, { recursive: true });
    ca = config.mqtt.ca === undefined ? undefined : readFileSync(config.mqtt.ca, 'utf8');
  } catch (error) {
    return fault('CONFIG_UNREADABLE', (error as Error).message);
  }
  const identity = openIdentity(config.dataFolder, (told) =>
    deps.log.warn(told, 'the numbers of births and connections cannot be kept'),
  );
  if (!identity.ok) return failed(identity.fault);
  const outbox = openSqliteOutbox({
    file: join(config.dataFolder, 'outbox.sqlite'),
    bytesMax: config.outbox.bytesMax,
    keepReceiptedMs: config.outbox.keepReceiptedMs,
    writeDelayMs: config.outbox.writeDelayMs,
  });
  if (!outbox.ok) return failed(outbox.fault);
  const reader = createPostReader(config, {
    buses: createBuses(config, deps.catalog),
    catalog: deps.catalog,
    clock: deps.clock,
  });
  const { url, username, password } = config.mqtt;
  const gateway = createGateway({
    ...deps,
    profiles: deps.catalog,
    config,
    reader,
    outbox: outbox.value,
    identity: identity.value,
    openLink: mqttCarrier({
      url,
      fleet: config.fleet,
      post: config.post,
      epoch: outbox.value.epoch,
      ...(username === undefined ? {} : { username }),
      ...(password === undefined ? {} : { password }),
      ...(ca === undefined ? {} : { ca }),
    }),
    version: VERSION,
    pollPhase: deps.random(),
    memoryBytes: () => process.memoryUsage.rss(),
  });
  return ok(gateway);
}
