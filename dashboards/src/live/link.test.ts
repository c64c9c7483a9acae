import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  HEARTBEAT_MS as CONTRACT_HEARTBEAT_MS,
  type Delta,
  type Hello,
  helloDoor,
  type Snapshot,
} from '#contract/live.js';
import { HEARTBEAT_MS } from './heartbeat.js';
import { type Link, type LinkStatus, openLink, retryDelayMs, type SocketEvents } from './link.js';

/** A browser on virtual time, with every socket that it opened and everything it sent. */
function world() {
  let now = 1_000_000;
  const timers = new Set<{ at: number; task: () => void }>();
  const sockets: { events: SocketEvents; sent: Hello[]; isClosed: boolean }[] = [];
  const messages: (Snapshot | Delta)[] = [];
  const statuses: LinkStatus[] = [];
  const clock = { now: () => now, monotonic: () => now };
  const link: Link = openLink(
    {
      clock,
      random: () => 0.5,
      heartbeatMs: 15_000,
      scheduler: {
        after(delayMs, task) {
          const timer = { at: now + delayMs, task };
          timers.add(timer);
          return () => timers.delete(timer);
        },
      },
      connect(events) {
        const socket = { events, sent: [] as Hello[], isClosed: false };
        sockets.push(socket);
        return {
          send: (text) => {
            const hello = helloDoor(JSON.parse(text));
            if (!hello.ok) throw new Error(JSON.stringify(hello.fault));
            socket.sent.push(hello.value);
          },
          close: () => {
            socket.isClosed = true;
          },
        };
      },
      onMessage: (message) => messages.push(message),
      onStatus: (status) => statuses.push(status),
    },
    { page: 'fleet' },
    250,
  );
  const advance = (ms: number): void => {
    const end = now + ms;
    for (;;) {
      const due = [...timers].filter((timer) => timer.at <= end).sort((one, other) => one.at - other.at)[0];
      if (due === undefined) break;
      timers.delete(due);
      now = due.at;
      due.task();
    }
    now = end;
  };
  const last = () => sockets[sockets.length - 1]!;
  const status = () => statuses[statuses.length - 1]!;
  const say = (message: object, socket = last()): void => socket.events.received(JSON.stringify(message));
  return { link, sockets, messages, statuses, advance, last, status, say, timers, now: () => now };
}

const changes = { posts: [], alarms: [], values: [], now: 1_000_700 };
const snapshot = (seq: number, page: 'fleet' | 'alarms' = 'fleet') => ({
  t: 'snapshot',
  session: 's1',
  view: { page },
  seq,
  ...changes,
  devices: [],
  metrics: [],
  facts: null,
});
const delta = (seq: number) => ({ t: 'delta', seq, ...changes });

function liveWorld() {
  const it = world();
  it.last().events.opened();
  it.say(snapshot(7));
  return it;
}

describe('the link', () => {
  it('asks for a snapshot first and is live when it comes', () => {
    const w = world();
    expect(w.status().phase).toBe('connecting');
    w.last().events.opened();
    expect(w.last().sent).toEqual([{ t: 'hello', view: { page: 'fleet' }, periodMs: 250 }]);
    w.say(snapshot(7));
    expect(w.status()).toMatchObject({ phase: 'live', heardAt: w.now(), clockOffsetMs: 700 });
    expect(w.messages).toHaveLength(1);
  });

  it('asks after a break only for what changed since the last message', () => {
    const w = liveWorld();
    w.say(delta(9));
    w.last().events.closed();
    expect(w.status()).toMatchObject({ phase: 'waiting', retryAt: w.now() + 750 });
    w.advance(750);
    w.last().events.opened();
    expect(w.last().sent[0]).toMatchObject({ session: 's1', since: 9 });
    w.say(delta(12));
    expect(w.status().phase).toBe('live');
    expect(w.messages).toHaveLength(3);
  });

  it('holds a silent socket for dead after twice the heartbeat', () => {
    const w = liveWorld();
    w.advance(29_999);
    expect(w.status().phase).toBe('live');
    w.advance(1);
    expect(w.status().phase).toBe('waiting');
    expect(w.sockets[0]!.isClosed).toBe(true);
  });

  it('stays live while heartbeats come', () => {
    const w = liveWorld();
    for (let minute = 0; minute < 40; minute += 1) {
      w.advance(15_000);
      w.say(delta(7));
    }
    expect(w.sockets).toHaveLength(1);
    expect(w.status().phase).toBe('live');
  });

  it('waits longer for a heartbeat when it asked for rarer messages', () => {
    const w = liveWorld();
    w.link.setPeriod(120_000);
    expect(w.last().sent[1]).toMatchObject({ periodMs: 120_000, since: 7 });
    w.advance(200_000);
    expect(w.status().phase).toBe('live');
    w.advance(40_000);
    expect(w.status().phase).toBe('waiting');
  });

  it('gives up a connection that never opens', () => {
    const w = world();
    w.advance(20_000);
    expect(w.status().phase).toBe('waiting');
  });

  it('tries less and less often, and soon again after a good connection', () => {
    const w = world();
    const waits: number[] = [];
    for (let attempt = 0; attempt < 8; attempt += 1) {
      w.last().events.closed();
      waits.push(w.status().retryAt! - w.now());
      w.advance(waits[attempt]!);
    }
    expect(waits).toEqual([750, 1500, 3000, 6000, 12_000, 24_000, 45_000, 45_000]);
    w.last().events.opened();
    w.say(snapshot(1));
    w.last().events.closed();
    expect(w.status().retryAt! - w.now()).toBe(750);
  });

  it('tries at once when somebody asks', () => {
    const w = liveWorld();
    w.last().events.closed();
    w.link.tryNow();
    expect(w.sockets).toHaveLength(2);
    expect(w.status().phase).toBe('connecting');
  });

  it('closes the socket when nobody looks, and takes up again where it was', () => {
    const w = liveWorld();
    w.link.pause();
    expect(w.last().isClosed).toBe(true);
    w.advance(3_600_000);
    expect(w.sockets).toHaveLength(1);
    expect(w.timers.size).toBe(0);
    w.link.resume();
    w.last().events.opened();
    expect(w.last().sent[0]).toMatchObject({ since: 7 });
  });

  it('ignores a delta of the view that was left', () => {
    const w = liveWorld();
    w.link.show({ page: 'alarms' });
    expect(w.last().sent[1]).toEqual({ t: 'hello', view: { page: 'alarms' }, periodMs: 250 });
    w.say(delta(8));
    w.say(snapshot(8, 'fleet'));
    expect(w.messages).toHaveLength(1);
    w.say(snapshot(9, 'alarms'));
    w.say(delta(10));
    expect(w.messages).toHaveLength(3);
  });

  it('hears nothing more of a socket that it left', () => {
    const w = liveWorld();
    const old = w.last();
    old.events.closed();
    w.link.tryNow();
    old.events.closed();
    w.say(snapshot(99), old);
    expect(w.sockets).toHaveLength(2);
    expect(w.messages).toHaveLength(1);
  });

  it('keeps the connection when the server cannot serve the view, and says so until another is shown', () => {
    const w = liveWorld();
    w.link.show({ page: 'post', post: 'nowhere' });
    w.say({ t: 'error', code: 'LIVE_POST_UNKNOWN', message: 'no such post' });
    expect(w.status()).toMatchObject({ phase: 'live', problem: { code: 'LIVE_POST_UNKNOWN' } });
    w.link.show({ page: 'fleet' });
    expect(w.status().problem).toBeNull();
  });

  it('asks again for a post that the server does not know yet', () => {
    const w = liveWorld();
    w.link.show({ page: 'post', post: 'late' });
    w.say({ t: 'error', code: 'LIVE_POST_UNKNOWN', message: 'no such post' });
    w.say(delta(8));
    w.advance(15_000);
    expect(w.sockets).toHaveLength(1);
    expect(
      w
        .last()
        .sent.slice(1)
        .map((hello) => hello.view),
    ).toEqual([
      { page: 'post', post: 'late' },
      { page: 'post', post: 'late' },
    ]);
  });

  it.each(['', '{"t":"snap', 'null', '[]', '"x"', '{"t":"other"}'])('breaks off on %j, which is no message', (text) => {
    const w = liveWorld();
    w.last().events.received(text);
    expect(w.status().phase).toBe('waiting');
  });

  it('counts what it received', () => {
    const w = liveWorld();
    expect(w.status().received).toBe(JSON.stringify(snapshot(7)).length);
  });

  it('never has two sockets, whatever happens', () => {
    const step = fc.constantFrom(
      'open',
      'close',
      'snapshot',
      'delta',
      'junk',
      'pause',
      'resume',
      'try',
      'alarms',
      'fleet',
      'wait',
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const w = world();
        for (const name of steps) {
          if (name === 'open' && !w.last().isClosed) w.last().events.opened();
          if (name === 'close') w.last().events.closed();
          if (name === 'snapshot') w.say(snapshot(5));
          if (name === 'delta') w.say(delta(6));
          if (name === 'junk') w.last().events.received('?');
          if (name === 'pause') w.link.pause();
          if (name === 'resume') w.link.resume();
          if (name === 'try') w.link.tryNow();
          if (name === 'alarms' || name === 'fleet') w.link.show({ page: name });
          if (name === 'wait') w.advance(31_000);
          const open = w.sockets.filter((socket) => !socket.isClosed).length;
          expect(open).toBeLessThanOrEqual(1);
          // It is never stuck: connected, paused, or with a timer that goes on.
          expect(w.status().phase === 'paused' || w.timers.size === 1).toBe(true);
        }
      }),
    );
  });

  it('counts heartbeats as the contract promises them', () => {
    expect(HEARTBEAT_MS).toBe(CONTRACT_HEARTBEAT_MS);
  });
});

describe('the wait before a try', () => {
  it('lies between half and all of its step, and never above a minute', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 5000 }),
        fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }),
        (failures, random) => {
          const whole = Math.min(60_000, 1000 * 2 ** Math.min(failures, 10));
          const delay = retryDelayMs(failures, () => random);
          expect(delay).toBeGreaterThanOrEqual(whole / 2);
          expect(delay).toBeLessThanOrEqual(whole);
        },
      ),
    );
  });
});
