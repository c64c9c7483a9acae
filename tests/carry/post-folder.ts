// A post whose gateway is stopped: a data folder with its configuration, its key and an outbox with a backlog.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { codeOf, type Reason } from '#domain/quality.js';
import type { Value } from '#domain/reading.js';
import { type GatewayConfig, parseGatewayConfig } from '#gateway/config.js';
import type { Outbox, RecordDraft } from '#gateway/outbox/outbox.js';
import { openSqliteOutbox } from '#gateway/outbox/sqlite-outbox.js';
import type { OutboxSample } from '#gateway/ports.js';
import { postFactsOf } from '#gateway/record/post-facts.js';
import { catalogueOf } from '#gateway/uplink/birth.js';
import { loadCatalog } from '#profiles/catalog.js';

export const FLEET = 'pamir';
export const POST = 'kyzyl-art';
export const METER = 'meter';
export const NOON = Date.UTC(2026, 0, 15, 12);

const { profiles } = loadCatalog();

export interface PostFolder {
  readonly folder: string;
  readonly configFile: string;
  readonly config: GatewayConfig;
  /** Opens the outbox as the gateway does, for the time of the task. */
  withOutbox<T>(task: (outbox: Outbox) => T): T;
  remove(): void;
}

/** @param mqttUrl the broker that its gateway would connect to */
export function makePostFolder(options: { readonly fleet?: string; readonly mqttUrl?: string } = {}): PostFolder {
  const folder = mkdtempSync(join(tmpdir(), 'oftob-carry-'));
  const configFile = join(folder, 'gateway.yaml');
  const text = `
fleet: ${options.fleet ?? FLEET}
post: ${POST}
dataFolder: ${join(folder, 'data')}
mqtt: { url: '${options.mqttUrl ?? 'mqtt://127.0.0.1:1'}' }
buses: [{ id: bus, type: tcp, host: 127.0.0.1, port: 1 }]
devices: [{ id: ${METER}, bus: bus, profile: eastron/sdm630, unit: 1, role: load }]
`;
  writeFileSync(configFile, text);
  const parsed = parseGatewayConfig(text, profiles);
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.fault));
  return {
    folder,
    configFile,
    config: parsed.value,
    withOutbox(task) {
      const outbox = openOutbox(parsed.value);
      try {
        return task(outbox);
      } finally {
        outbox.close();
      }
    },
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

/** With what its gateway declares. */
export function openOutbox(config: GatewayConfig): Outbox {
  const opened = openSqliteOutbox({
    file: join(config.dataFolder, 'outbox.sqlite'),
    bytesMax: config.outbox.bytesMax,
    keepReceiptedMs: config.outbox.keepReceiptedMs,
    reserveBytes: 4096,
  });
  if (!opened.ok) throw new Error(opened.fault.message);
  opened.value.declare(catalogueOf(postFactsOf(config, profiles)));
  return opened.value;
}

const sample = (metric: string, at: number, value: Value, reason: Reason = 'good'): OutboxSample => ({
  device: METER,
  metric,
  at,
  value,
  reason,
});

/** Polls each ten seconds: numbers that lose a bit in careless hands, readings without a value, a counter. */
export function backlog(from: number, polls: number, offline = true): RecordDraft[] {
  return Array.from({ length: polls }, (_, i) => {
    const at = from + i * 10_000;
    const power = i % 7 === 3 ? sample('load.power', at, null, 'timeout') : sample('load.power', at, 0.1 * i + 0.2);
    return {
      at,
      offline,
      samples: [power, sample('load.energy', at, 1_000_000 + i), sample('ac.frequency', at, 50 - i / 3)],
    };
  });
}

/** How samples are compared: every bit of them. */
export const nameOf = (device: string, metric: string, at: number, value: Value, code: number) =>
  `${device} ${metric} ${at} ${typeof value} ${Object.is(value, -0) ? '-0' : String(value)} ${code}`;

export const samplesOf = (drafts: readonly RecordDraft[]): string[] =>
  drafts
    .flatMap(({ samples }) => samples.map((s) => nameOf(s.device, s.metric, s.at, s.value, codeOf(s.reason))))
    .sort();
