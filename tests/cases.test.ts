// Cases: a device as a profile describes it, how it behaves at each poll, and what must come out. One folder, one story.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Value } from 'typebox/value';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { hasValue } from '#domain/quality.js';
import type { DeviceConfig } from '#gateway/config.js';
import { createPostReader } from '#gateway/poll/post-reader.js';
import { type Profile, ProfileSchema } from '#profiles/profile.js';
import { type CaseDevice, createCaseBus } from './cases/case-device.js';
import { VirtualTime } from './support/virtual-time.js';

interface Case {
  readonly says: string;
  /** Parts of a profile; what is left out is harmless. */
  readonly profile: Partial<Profile> & { readonly protocol?: Partial<Profile['protocol']> };
  readonly device?: Partial<DeviceConfig>;
  readonly polls: readonly {
    /** Seconds since the poll before; one period if not given. */
    readonly after?: number;
    readonly device: CaseDevice;
    /** Every metric that is due; of `poll.*` only what is told. */
    readonly readings: Readonly<Record<string, unknown>>;
    readonly requests?: readonly string[];
  }[];
}

const FOLDER = join(import.meta.dirname, 'cases');
const PERIOD_S = 10;
/** The start of an hour, so that only the first poll is one for rare values. */
const START = Date.UTC(2026, 0, 15, 12);

const cases = readdirSync(FOLDER, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => ({ name, story: parse(readFileSync(join(FOLDER, name, 'case.yaml'), 'utf8')) as Case }));

function profileOf(story: Case): Profile {
  const profile = {
    id: 'case/device',
    maker: 'Case',
    model: 'Device',
    kind: 'meter',
    sources: ['the case'],
    ...story.profile,
    protocol: {
      table: 'holding',
      order: 'big',
      maxRegisters: 100,
      allowedGap: 10,
      pauseMs: 0,
      unit: 1,
      tcpPort: 502,
      ...story.profile.protocol,
    },
  };
  expect([...Value.Errors(ProfileSchema, profile)]).toEqual([]);
  return profile as Profile;
}

describe('cases', () => {
  test.each(cases)('$name: $story.says', async ({ story }) => {
    const time = new VirtualTime(START);
    const bus = createCaseBus();
    const device: DeviceConfig = {
      id: 'device',
      bus: 'bus',
      profile: 'case/device',
      unit: 1,
      reversed: false,
      pollPeriodMs: PERIOD_S * 1000,
      deadbands: {},
      watch: {},
      ...story.device,
    };
    const reader = createPostReader(
      {
        fleet: 'fleet',
        post: 'post',
        dataFolder: '/nowhere',
        mqtt: { url: 'mqtt://127.0.0.1' },
        batchPeriodMs: 60_000,
        full: false,
        outbox: { bytesMax: 1, keepReceiptedMs: 0, writeDelayMs: 0 },
        uplink: {},
        buses: [{ id: 'bus', type: 'tcp', host: '127.0.0.1', port: 502, timeoutMs: 1000 }],
        devices: [device],
      },
      {
        buses: new Map([['bus', bus]]),
        catalog: new Map([['case/device', { profile: profileOf(story), hash: '' }]]),
        clock: time,
        scheduler: time,
      },
    );
    let at = START - PERIOD_S * 1000;
    for (const [index, poll] of story.polls.entries()) {
      at += (poll.after ?? PERIOD_S) * 1000;
      bus.device = poll.device;
      bus.requests = [];
      const results = await reader.pollOnce(at);
      const readings = results.flatMap((result) => result.readings);
      const told = readings.filter(({ metric }) => !metric.startsWith('poll.') || metric in poll.readings);
      const shown = told.map(({ metric, value, reason }) => [metric, reason === 'good' ? value : { value, reason }]);
      expect(Object.fromEntries(shown), `poll ${index + 1}`).toEqual(poll.readings);
      for (const { value, reason } of readings) expect(value !== null).toBe(hasValue(reason));
      if (poll.requests !== undefined) expect(bus.requests, `requests of poll ${index + 1}`).toEqual(poll.requests);
    }
  });
});
