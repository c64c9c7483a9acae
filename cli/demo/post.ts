// One post of the demo: its simulated devices on loopback, the gateway that reads them, and the past behind it.
import type { Clock, Random, Scheduler } from '#domain/clock.js';
import { failed, ok, type Result } from '#domain/result.js';
import { parseGatewayConfig } from '#gateway/config.js';
import { createPostReader } from '#gateway/poll/post-reader.js';
import type { PollResult } from '#gateway/ports.js';
import type { Log } from '#gateway/uplink/log.js';
import type { LoadedProfile } from '#profiles/catalog.js';
import type { ScenarioPost } from '#simulators/scenarios/scenario.js';
import type { PostSimulation } from '#simulators/simulation.js';
import { createBuses } from '../buses.js';
import { type CommandFault, fault } from '../command.js';
import { openGateway } from '../post-gateway.js';
import { systemScheduler } from '../system.js';
import { gatewayYaml } from './fleet-of.js';
import { openFragileGateway } from './fragile-gateway.js';
import { openLink } from './link.js';

export interface DemoPostParts {
  /** The world that goes on from now. */
  readonly live: PostSimulation;
  /** The same world a day ago. */
  readonly past: PostSimulation;
  readonly folder: string;
  readonly mqttUrl: string;
  readonly catalog: ReadonlyMap<string, LoadedProfile>;
  readonly clock: Clock;
  readonly scheduler: Scheduler;
  readonly random: Random;
  readonly log: Log;
}

/** About half an hour of a post: fewer transactions, and payloads that are worth their envelope. */
const PAST_POLLS_PER_WRITE = 180;

export interface DemoPost {
  start(): void;
  /** Lets the gateway feel what is wrong with the post as a whole. */
  suffer(): Promise<void>;
  /** Reads the past world from `from` to `to` in steps, over Modbus like the present one, and records it as history. */
  readPast(from: number, to: number, stepMs: number): Promise<void>;
  close(): Promise<void>;
}

export async function openPost(post: ScenarioPost, parts: DemoPostParts): Promise<Result<DemoPost, CommandFault>> {
  const live = await serve(parts.live);
  const past = await serve(parts.past);
  const link = await openLink(parts.mqttUrl);
  const configFor = (ports: ReadonlyMap<string, number>) =>
    parseGatewayConfig(
      gatewayYaml(post, { mqttUrl: link.mqttUrl, dataFolder: parts.folder, busPorts: ports }),
      parts.catalog,
    );
  const config = configFor(live.ports);
  const pastConfig = configFor(past.ports);
  const closeDevices = async (): Promise<void> => {
    await link.close();
    await live.close();
    await past.close();
  };
  if (!config.ok || !pastConfig.ok) {
    await closeDevices();
    const faults = config.ok ? [] : config.fault;
    return fault('CONFIG_FAULTY', faults.map(({ path, message }) => `${path}: ${message}`).join('; '));
  }
  const opened = openFragileGateway(parts.clock, link, (time) =>
    openGateway(config.value, { ...parts, ...time, birthSpreadMs: 200 }),
  );
  if (!opened.ok) {
    await closeDevices();
    return failed(opened.fault);
  }
  const gateway = opened.value;
  const pastReader = createPostReader(pastConfig.value, {
    buses: createBuses(pastConfig.value, parts.catalog),
    catalog: parts.catalog,
    clock: parts.clock,
  });
  let isClosed = false;
  return ok({
    start: () => gateway.start(),
    suffer: () => gateway.suffer(parts.live.activeFaults()),
    async readPast(from, to, stepMs) {
      const polls: PollResult[] = [];
      for (let at = from; at <= to && !isClosed; at += stepMs) {
        parts.past.stepTo(at);
        polls.push(...(await pastReader.pollOnce(at, { all: true })));
        const isFull = polls.length >= PAST_POLLS_PER_WRITE || at + stepMs > to;
        if (isFull && !isClosed) await gateway.recordPast(polls.splice(0));
        await breathe();
      }
      await pastReader.close();
      await past.close();
    },
    async close() {
      isClosed = true;
      await pastReader.close();
      await gateway.stop();
      await link.close();
      await live.close();
      await past.close();
    },
  });
}

/** Lets everything else that waits have its turn: the present goes first. */
function breathe(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

interface ServedDevices {
  readonly ports: ReadonlyMap<string, number>;
  close(): Promise<void>;
}

async function serve(post: PostSimulation): Promise<ServedDevices> {
  const ports = new Map<string, number>();
  const closers: (() => Promise<void>)[] = [];
  for (const bus of post.buses) {
    const served = await post.serve({
      bus,
      wire: { kind: 'tcp', host: '127.0.0.1', port: 0 },
      scheduler: systemScheduler,
    });
    ports.set(bus, served.port);
    closers.push(() => served.close());
  }
  return {
    ports,
    async close() {
      for (const close of closers.splice(0)) await close();
    },
  };
}
