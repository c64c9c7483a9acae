// What every registry must do.
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Birth } from '#contract/session.js';
import type { JournalEntry } from '#contract/view.js';
import { initialAlarm, stepAlarm } from '#domain/alarm.js';
import type { Registry } from '#server/ports.js';

export interface RegistryUnderTest {
  open(): Registry;
  /** Opens what the last opened registry has saved. */
  reopen(): Registry;
}

const T0 = Date.UTC(2026, 0, 15);

function birthOf(number: number): Birth {
  return {
    birth: number,
    at: T0,
    clock: 'synchronised',
    gateway: { version: '0.1.0', publicKey: 'key', epoch: '00112233445566aa', start: 1 },
    batchPeriodMs: 60_000,
    devices: [{ id: 'meter', kind: 'meter', name: 'Қизил-Арт', pollPeriodMs: 10_000 }],
    metrics: [
      {
        index: 0,
        device: 'meter',
        metric: 'ac.power',
        kind: 'gauge',
        unit: 'W',
        pollPeriodMs: 10_000,
        heartbeatS: 600,
      },
    ],
  };
}

function entryOf(post: string, event: string, more: Partial<JournalEntry> = {}): Omit<JournalEntry, 'seq'> {
  return {
    at: T0,
    alarm: `${post}/batterySocLow/inverter`,
    post,
    rule: 'batterySocLow',
    from: 'normal',
    to: 'unacknowledged',
    event,
    by: null,
    comment: null,
    historical: false,
    ...more,
  };
}

export function describeRegistry(name: string, under: RegistryUnderTest): void {
  describe(name, () => {
    let registry: Registry;
    beforeEach(() => {
      registry = under.open();
    });
    afterEach(() => registry.close());
    const reopen = (): void => {
      registry.close();
      registry = under.reopen();
    };

    test('a new registry is empty', () => {
      const { alarms, births, identities, placings, postStates, replays } = registry;
      for (const list of [births, postStates, alarms, placings, identities, replays]) expect(list()).toEqual([]);
      expect(registry.journal({ limit: 10 })).toEqual([]);
    });

    test('the last birth of a post is kept, word for word', () => {
      registry.saveBirth('langar', birthOf(1), T0);
      registry.saveBirth('langar', birthOf(2), T0 + 1);
      registry.saveBirth('kyzyl-art', birthOf(7), T0 + 2);
      reopen();
      expect(registry.births()).toEqual([
        { post: 'kyzyl-art', birth: birthOf(7), receivedAt: T0 + 2 },
        { post: 'langar', birth: birthOf(2), receivedAt: T0 + 1 },
      ]);
    });

    test('the last state of a post is kept with its connection number', () => {
      registry.savePostState('langar', 'online', 41, T0);
      registry.savePostState('langar', 'offline', 2 ** 52, T0 + 5);
      reopen();
      expect(registry.postStates()).toEqual([{ post: 'langar', state: 'offline', connection: 2 ** 52, at: T0 + 5 }]);
    });

    test('what data is placed by comes back as it was, with numbers that place nothing', () => {
      const metrics = new Map([
        [0, { device: 'meter', metric: 'ac.power', kind: 'gauge' } as const],
        [65535, { device: 'pump', metric: 'pump.state', kind: 'state' } as const],
      ]);
      const placings = [
        { number: 2 ** 52, gateway: '00112233445566aa', metrics },
        { number: 3, gateway: '00112233445566bb', metrics: undefined },
        { number: 4, gateway: '00112233445566bb', metrics },
      ];
      registry.savePlacings('langar', placings.slice(0, 1));
      registry.saveBirth('langar', birthOf(4), T0, placings);
      registry.saveBirth('langar', birthOf(5), T0);
      registry.savePlacings('karakul', []);
      reopen();
      expect(registry.placings()).toEqual([
        { post: 'karakul', placings: [] },
        { post: 'langar', placings },
      ]);
      expect(registry.births()).toMatchObject([{ post: 'langar', birth: { birth: 5 } }]);
      // Births with the same metrics share them in memory, as they did before.
      const [first, , third] = registry.placings()[1]?.placings ?? [];
      expect(first?.metrics).toBe(third?.metrics);
    });

    test('what is remembered of a post’s gateways comes back, and the newest replaces what was', () => {
      const key = { key: 'K1', firstSeenAt: T0, accepted: true, highestStart: 7 };
      const facts = {
        keys: [key],
        starts: [{ epoch: '00112233445566aa', start: 7, key: 'K1' }],
        conflicts: [{ kind: 'twoGateways', since: T0, lastAt: T0 + 5 } as const],
      };
      registry.saveIdentity('langar', { keys: [], starts: [], conflicts: [] });
      registry.saveIdentity('langar', facts);
      reopen();
      expect(registry.identities()).toEqual([{ post: 'langar', facts }]);
    });

    test('the newest request to send again is kept for each post', () => {
      const replay = { post: 'langar', at: T0, since: null, deadLetters: true, by: 'Рустам', sentAt: null };
      const later = { ...replay, at: T0 + 1, since: T0 - 86_400_000, deadLetters: false, sentAt: T0 + 2 };
      registry.saveReplay(replay);
      registry.saveReplay({ ...replay, post: 'karakul' });
      registry.saveReplay(later);
      reopen();
      expect(registry.replays()).toEqual([{ ...replay, post: 'karakul' }, later]);
    });

    test('an alarm comes back as it was, with the value and limit that decided', () => {
      const { alarm } = stepAlarm(initialAlarm(), { type: 'input', input: 'true' }, T0, {
        latching: false,
        onDelayMs: 0,
        offDelayMs: 0,
      });
      registry.saveAlarms([{ id: 'langar/batterySocLow/inverter', alarm, value: 21.5, limit: 30 }], []);
      registry.saveAlarms([{ id: 'langar/postSilent/', alarm: initialAlarm(), value: null, limit: null }], []);
      reopen();
      expect(registry.alarms()).toEqual([
        { id: 'langar/batterySocLow/inverter', alarm, value: 21.5, limit: 30 },
        { id: 'langar/postSilent/', alarm: initialAlarm(), value: null, limit: null },
      ]);
    });

    test('the journal is told newest first, page by page, for one post or all', () => {
      const first = entryOf('langar', 'input', { historical: true });
      const second = entryOf('kyzyl-art', 'acknowledge', { by: 'Рустам', comment: 'genset "started"' });
      registry.saveAlarms([], [first, second]);
      registry.saveAlarms([], [entryOf('langar', 'input')]);
      reopen();
      const all = registry.journal({ limit: 10 });
      expect(all).toEqual([
        { ...entryOf('langar', 'input'), seq: all[0]?.seq },
        { ...second, seq: all[1]?.seq },
        { ...first, seq: all[2]?.seq },
      ]);
      expect(all.map(({ seq }) => seq)).toEqual(all.map(({ seq }) => seq).sort((a, b) => b - a));
      expect(registry.journal({ limit: 1 })).toEqual(all.slice(0, 1));
      expect(registry.journal({ limit: 2, before: all[0]!.seq })).toEqual(all.slice(1));
      expect(registry.journal({ post: 'langar', limit: 10 })).toEqual([all[0], all[2]]);
      expect(registry.journal({ post: 'langar', limit: 10, before: all[0]!.seq })).toEqual([all[2]]);
    });

    test('a marked day stands until it is cleared, however often it is marked', () => {
      const [day, next] = [T0 / 86_400_000, T0 / 86_400_000 + 1];
      registry.addMarks([
        { post: 'langar', day: next },
        { post: 'langar', day },
      ]);
      registry.addMarks([
        { post: 'langar', day },
        { post: 'karakul', day },
      ]);
      reopen();
      expect(registry.marks()).toEqual([
        { post: 'karakul', day },
        { post: 'langar', day },
        { post: 'langar', day: next },
      ]);
      registry.clearMarks([
        { post: 'langar', day },
        { post: 'nobody', day },
      ]);
      reopen();
      expect(registry.marks()).toEqual([
        { post: 'karakul', day },
        { post: 'langar', day: next },
      ]);
    });

    test('an event of a counter is kept with who said so, and its correction takes its place', () => {
      const event = {
        post: 'langar',
        device: 'meter',
        metric: 'load.energy',
        at: T0,
        kind: 'swap' as const,
        closing: 99_812.5,
        opening: 3,
        withdrawn: false,
        by: 'Рустам',
        enteredAt: T0 + 5,
        comment: null,
      };
      const id = registry.saveCounterEvent(event, entryOf('langar', 'added', { by: 'Рустам' }));
      const other = { ...event, at: T0 - 1, kind: 'reset' as const, closing: null, comment: 'after the storm' };
      const otherId = registry.saveCounterEvent(other, entryOf('langar', 'added'));
      expect(otherId).not.toBe(id);
      const corrected = { ...event, id, opening: 4, withdrawn: true, by: 'Зарина' };
      expect(registry.saveCounterEvent(corrected, entryOf('langar', 'withdrawn', { by: 'Зарина' }))).toBe(id);
      reopen();
      expect(registry.counterEvents()).toEqual([{ ...other, id: otherId }, corrected]);
      expect(registry.journal({ limit: 10 }).map((entry) => [entry.event, entry.by])).toEqual([
        ['withdrawn', 'Зарина'],
        ['added', null],
        ['added', 'Рустам'],
      ]);
    });

    test('states and entries are saved together or not at all', () => {
      const broken = { ...entryOf('langar', 'input'), at: null as unknown as number };
      const stored = { id: 'langar/batterySocLow/inverter', alarm: initialAlarm(), value: null, limit: null };
      expect(() => registry.saveAlarms([stored], [entryOf('langar', 'input'), broken])).toThrow();
      expect(registry.alarms()).toEqual([]);
      expect(registry.journal({ limit: 10 })).toEqual([]);
    });
  });
}
