import { beforeEach, describe, expect, test } from 'vitest';
import type { Delta, LiveMessage, Snapshot } from '#contract/live.js';
import { FakeAlarms, FakeIngest, KYZYL_ART, meterBirth, NOON } from '#tests/api/fake-server.js';
import { VirtualTime } from '#tests/support/virtual-time.js';
import { emptyTotals } from '../rollup/totals-reader.js';
import { createLiveBoard } from './board.js';
import { createLiveHub, type HubLimits, type LiveConnection, type LiveHub, type LiveSocket } from './hub.js';

const POST_VIEW = { page: 'post', post: 'kyzyl-art' } as const;

class FakeSocket implements LiveSocket {
  bufferedAmount = 0;
  readonly messages: LiveMessage[] = [];
  closedWith: number | 'terminated' | undefined;
  pings = 0;
  answers = true;
  connection: LiveConnection | undefined;

  send(text: string) {
    this.messages.push(JSON.parse(text) as LiveMessage);
  }
  ping() {
    this.pings += 1;
    if (this.answers) this.connection?.alive();
  }
  close(code: number) {
    this.closedWith = code;
  }
  terminate() {
    this.closedWith = 'terminated';
  }
  say(message: object) {
    this.connection?.receive(Buffer.from(JSON.stringify(message)));
  }
  take<T extends LiveMessage>(): T[] {
    return this.messages.splice(0) as T[];
  }
}

let time: VirtualTime;
let ingest: FakeIngest;
let hub: LiveHub;

function open(limits: Partial<HubLimits> = {}): void {
  const empty = emptyTotals({ from: NOON, to: NOON }, 'UTC');
  const totals = {
    ofPost: () => ({ today: empty, month: empty }),
    ofFleet: () => ({ today: empty, month: empty }),
    subscribe: () => () => {},
  };
  const board = createLiveBoard({ posts: [KYZYL_ART], ingest, alarms: new FakeAlarms(), totals });
  hub = createLiveHub({
    board,
    session: 's',
    clock: time,
    scheduler: time,
    attend: (post, forS) => ingest.attend(post, forS),
    limits,
  });
}

beforeEach(() => {
  time = new VirtualTime(NOON);
  ingest = new FakeIngest();
  ingest.know('kyzyl-art', { birth: meterBirth(), link: 'online' });
  open();
});

function connect(view: object | null = POST_VIEW, more: object = {}): FakeSocket {
  const socket = new FakeSocket();
  socket.connection = hub.connect(socket);
  if (view !== null) socket.say({ t: 'hello', view, ...more });
  return socket;
}

let record = 0;
const power = (value: number) => {
  record += 1;
  ingest.sample('kyzyl-art', [{ device: 'meter-1', metric: 'load.power', value, code: 0, at: NOON + record }]);
};
const energy = (value: number) =>
  ingest.sample('kyzyl-art', [{ device: 'meter-1', metric: 'load.energy', value, code: 0, at: NOON + value }]);

describe('a slow browser', () => {
  test('is left alone until its buffer has drained well, and then gets the latest value of everything once', async () => {
    const socket = connect();
    const [snapshot] = socket.take<Snapshot>();
    socket.bufferedAmount = 70_000;
    for (const value of [1, 2, 3]) {
      power(value);
      energy(value);
      await time.advance(300);
    }
    socket.bufferedAmount = 20_000;
    await time.advance(1000);
    expect(socket.take()).toEqual([]);
    expect(hub.counters().liveSendsSkipped).toBeGreaterThan(3);
    socket.bufferedAmount = 10_000;
    await time.advance(300);
    const deltas = socket.take<Delta>();
    expect(deltas).toHaveLength(1);
    expect(deltas[0]?.values.map(([, value]) => value)).toEqual([3, 3]);
    expect(deltas[0]?.seq).toBeGreaterThan(snapshot!.seq);
  });

  test('does not slow the others', async () => {
    const slow = connect();
    const quick = connect();
    slow.bufferedAmount = 70_000;
    quick.take();
    power(1);
    await time.advance(300);
    expect(quick.take()).toHaveLength(1);
  });

  test('is cut when it does not read for a minute', async () => {
    const socket = connect();
    socket.bufferedAmount = 70_000;
    power(1);
    await time.advance(62_000);
    expect(socket.closedWith).toBe('terminated');
    expect(hub.counters()).toMatchObject({ liveClients: 0, liveClientsCut: 1 });
  });

  test('that has gone without a word is cut, and its post is no longer asked for every poll', async () => {
    const socket = connect();
    socket.answers = false;
    await time.advance(130_000);
    expect(socket.pings).toBeGreaterThan(0);
    expect(socket.closedWith).toBe('terminated');
    const asked = ingest.attended.length;
    await time.advance(300_000);
    expect(ingest.attended).toHaveLength(asked);
  });

  test('that answers stays', async () => {
    const socket = connect();
    await time.advance(600_000);
    expect(socket.closedWith).toBeUndefined();
  });
});

describe('the saver', () => {
  test('gets changes only in its own period, and a heartbeat in between', async () => {
    const socket = connect(POST_VIEW, { periodMs: 60_000 });
    socket.take();
    power(1);
    await time.advance(45_000);
    const heartbeats = socket.take<Delta>();
    expect(heartbeats.map(({ values }) => values)).toEqual([[], [], []]);
    power(2);
    await time.advance(15_000);
    expect(socket.take<Delta>().flatMap(({ values }) => values.map(([, value]) => value))).toEqual([2]);
  });
});

describe('limits', () => {
  test('one browser too many is sent away and counted', () => {
    open({ clientsMax: 2 });
    connect();
    connect();
    const third = connect();
    expect(third.closedWith).toBe(1013);
    expect(hub.counters()).toMatchObject({ liveClients: 2, liveClientsRefused: 1 });
  });

  test('a browser that asks without end is closed', () => {
    const socket = connect();
    for (let request = 0; request < 50; request += 1) socket.say({ t: 'hello', view: POST_VIEW });
    expect(socket.closedWith).toBe(1008);
  });

  test('a connection that asks for nothing is closed', async () => {
    const socket = connect(null);
    await time.advance(31_000);
    expect(socket.closedWith).toBe(1008);
  });

  test('a message of more bytes than any request needs is refused', () => {
    const socket = connect(null);
    socket.say({ t: 'hello', view: { page: 'fleet' }, session: 'x'.repeat(5000) });
    expect(socket.take()).toMatchObject([{ t: 'error', code: 'LIVE_MESSAGE' }]);
    expect(hub.counters()).toMatchObject({ liveMessagesRefused: 1 });
  });

  test('two viewers of a post ask once, and go on until the last has left', async () => {
    const [first, second] = [connect(), connect()];
    expect(ingest.attended).toEqual([['kyzyl-art', 120]]);
    first.connection?.closed();
    await time.advance(91_000);
    expect(ingest.attended).toHaveLength(2);
    second.connection?.closed();
    await time.advance(91_000);
    expect(ingest.attended).toHaveLength(2);
  });
});
