// Makes the troubles of a drill happen, and mends them.
import { join } from 'node:path';
import type { Random } from '#domain/clock.js';
import type { PostSimulation } from '#simulators/simulation.js';
import type { DrillServer } from './drill-server.js';
import type { PostMachine } from './post-machine.js';
import type { Trouble, TroubleKind } from './trouble.js';
import type { VirtualBroker } from './virtual-broker.js';
import type { VirtualTime } from './virtual-time.js';

export interface TroubleParts {
  readonly time: VirtualTime;
  readonly random: Random;
  readonly broker: VirtualBroker;
  readonly server: DrillServer;
  readonly world: PostSimulation;
  readonly machine: PostMachine;
  readonly folder: string;
}

/** `later`: it cannot happen at this moment. */
type Begun = 'later' | { readonly text?: string; readonly end?: () => void | Promise<void> };

interface Deed {
  /** Monotonic. */
  readonly at: number;
  readonly run: () => void | Promise<void>;
}

const LATER_MS = 30_000;
const DAY_MS = 24 * 3_600_000;

export class Troublemaker {
  readonly history: { readonly at: number; readonly text: string }[] = [];
  /** Things that went wrong so far. */
  begun = 0;
  readonly #parts: TroubleParts;
  readonly #machines: PostMachine[];
  #deeds: Deed[] = [];
  #open = new Set<() => void | Promise<void>>();
  #boots = 0;

  constructor(parts: TroubleParts) {
    this.#parts = parts;
    this.#machines = [parts.machine];
  }

  plan(troubles: readonly Trouble[]): void {
    const start = this.#parts.time.monotonic();
    for (const { kind, at, forMs } of troubles) this.#doAt(start + at, () => this.#begin(kind, forMs));
  }

  /** When the next thing happens, monotonic. */
  nextAt(): number {
    return this.#deeds[0]?.at ?? Number.POSITIVE_INFINITY;
  }

  /** Does what is due. */
  async act(): Promise<void> {
    while (this.nextAt() <= this.#parts.time.monotonic()) await this.#deeds.shift()?.run();
  }

  #doAt(at: number, run: Deed['run']): void {
    this.#deeds.push({ at, run });
    this.#deeds.sort((a, b) => a.at - b.at);
  }

  #doIn(ms: number, run: Deed['run']): void {
    this.#doAt(this.#parts.time.monotonic() + Math.round(ms), run);
  }

  #tell(text: string): void {
    this.history.push({ at: this.#parts.time.now(), text });
  }

  async #begin(kind: TroubleKind, forMs: number): Promise<void> {
    const begun = this.#kinds[kind](forMs);
    if (begun === 'later') {
      this.#doIn(LATER_MS, () => this.#begin(kind, forMs));
      return;
    }
    this.begun += 1;
    const { text, end } = begun;
    this.#tell(`${kind}${text === undefined ? '' : ` (${text})`}${end === undefined ? '' : `, ${seconds(forMs)}`}`);
    if (end === undefined) return;
    const mend = async (): Promise<void> => {
      if (!this.#open.delete(mend)) return;
      this.#tell(`end of ${kind}`);
      await end();
    };
    this.#open.add(mend);
    this.#doIn(forMs, mend);
  }

  readonly #kinds: Readonly<Record<TroubleKind, (forMs: number) => Begun>> = {
    linkCut: () => {
      const { broker } = this.#parts;
      broker.faults.isCut = true;
      broker.cutAll();
      return { end: () => this.#set({ isCut: false }) };
    },
    halfDeadLink: () => {
      this.#parts.broker.freezeAll();
      return {};
    },
    lossyLink: () => {
      this.#set({ lossUp: this.#parts.random(), lossDown: this.#parts.random() });
      return { end: () => this.#set({ lossUp: 0, lossDown: 0 }) };
    },
    brokerKill: () => {
      this.#parts.broker.kill();
      return { end: () => this.#parts.broker.restart() };
    },
    serverKill: () => {
      const { server } = this.#parts;
      server.kill();
      return { end: () => server.start() };
    },
    databaseKill: () => this.#failStore('STORE_UNAVAILABLE'),
    serverDiskFull: () => this.#failStore('STORE_FULL'),
    slowDatabase: () => {
      const { store } = this.#parts.server;
      store.writeMsMax = 60_000 * this.#parts.random();
      return {
        text: `up to ${seconds(store.writeMsMax)} a write`,
        end: () => {
          store.writeMsMax = 0;
        },
      };
    },
    gatewayKill: (forMs) => {
      const machine = this.#anyMachine();
      if (!machine.isKillable()) return 'later';
      machine.kill();
      return this.#startAgain(machine, forMs);
    },
    powerCut: (forMs) => this.#cutPower(forMs, true),
    clockWithoutBattery: (forMs) => this.#cutPower(forMs, false),
    postDiskFull: () => {
      const machine = this.#anyMachine();
      // What waits in memory for the disk is not known by its time: a clock that steps, or is set, could meet it.
      if (machine.clock.skewMs !== 0 || machine.clock.quality === 'unknown') return 'later';
      machine.isDiskFull = true;
      return {
        end: () => {
          machine.isDiskFull = false;
        },
      };
    },
    clockStep: () => {
      const machine = this.#anyMachine();
      const { clock } = machine;
      if (clock.quality === 'unknown' || clock.skewMs !== 0 || !machine.isKillable()) return 'later';
      // Minutes to days; whole seconds meet the times of earlier polls.
      const size = 60_000 * 5000 ** this.#parts.random();
      clock.skewMs = Math.round((this.#parts.random() < 0.5 ? -1 : 1) * Math.min(size, 3 * DAY_MS));
      if (this.#parts.random() < 0.5) clock.skewMs -= clock.skewMs % 60_000;
      return {
        text: `${clock.skewMs} ms`,
        end: () => {
          clock.skewMs = 0;
        },
      };
    },
    deviceSilence: () => {
      const { world } = this.#parts;
      const device = world.devices[Math.floor(this.#parts.random() * world.devices.length)];
      const end = world.inject({ kind: 'silence', fromS: 0, ...(device === undefined ? {} : { device: device.id }) });
      return { text: device?.id ?? 'all', end };
    },
    duplicateDelivery: () => {
      this.#set({ doubled: this.#parts.random() });
      return { end: () => this.#set({ doubled: 0 }) };
    },
    reordering: () => {
      this.#set({ delayMsMax: 20_000 * this.#parts.random() });
      return { end: () => this.#set({ delayMsMax: 0 }) };
    },
    clonedCard: () => this.#clone(),
  };

  #set(faults: Partial<VirtualBroker['faults']>): void {
    Object.assign(this.#parts.broker.faults, faults);
  }

  #anyMachine(): PostMachine {
    return this.#machines[Math.floor(this.#parts.random() * this.#machines.length)] ?? this.#parts.machine;
  }

  #failStore(code: 'STORE_UNAVAILABLE' | 'STORE_FULL'): Begun {
    const { store } = this.#parts.server;
    store.fault = { code, message: 'drilled' };
    return {
      end: () => {
        store.fault = undefined;
      },
    };
  }

  #startAgain(machine: PostMachine, forMs: number): Begun {
    if (forMs > 60_000) return { end: () => machine.start() };
    machine.start();
    return {};
  }

  #cutPower(forMs: number, hasBattery: boolean): Begun {
    const { random } = this.#parts;
    const machine = this.#anyMachine();
    if (!machine.isKillable() || !machine.knowsTime()) return 'later';
    this.#boots += 1;
    const cut = random() < 0.5 ? 'dropped' : 'garbled';
    machine.powerCut(cut, `boot-${this.#boots}`);
    if (!hasBattery) {
      machine.clock.quality = 'unknown';
      // The network's time comes later, or never: then the server's has to do.
      if (random() < 0.5)
        this.#doIn(forMs + random() * 1_800_000, () => {
          machine.clock.quality = 'synchronised';
          machine.clock.skewMs = 0;
        });
    }
    const begun = this.#startAgain(machine, forMs);
    return begun === 'later' ? begun : { ...begun, text: cut };
  }

  #clone(): Begun {
    const { machine, folder } = this.#parts;
    if (this.#machines.length > 1 || !machine.isKillable() || !machine.knowsTime()) return 'later';
    const copy = machine.clone('clone', join(folder, 'clone'));
    this.#machines.push(copy);
    copy.start();
    return { end: () => copy.endPolling() };
  }

  /** Ends all that is open, so that everything can arrive. */
  async mend(): Promise<void> {
    this.#deeds = [];
    for (const end of [...this.#open]) await end();
  }

  endPolling(): void {
    for (const machine of this.#machines) machine.endPolling();
  }

  /** Records that wait on the posts, on their disks and in memory. */
  pendingRecords(): number {
    return this.#machines.reduce((sum, machine) => sum + machine.pendingRecords(), 0);
  }

  /** Samples that left full outboxes, by their own count. */
  thinned(): { readonly expiredSamples: number; readonly aggregatedSamples: number } {
    const sum = (name: 'expiredSamples' | 'aggregatedSamples'): number =>
      this.#machines.reduce((total, machine) => total + (machine.status()?.outbox[name] ?? 0), 0);
    return { expiredSamples: sum('expiredSamples'), aggregatedSamples: sum('aggregatedSamples') };
  }

  /** What the posts have not got rid of, one line each. */
  left(): string[] {
    return this.#machines.flatMap((machine) => machine.left());
  }

  async close(): Promise<void> {
    for (const machine of this.#machines) await machine.stop();
  }
}

function seconds(ms: number): string {
  return `${Math.round(ms / 1000)} s`;
}
