import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { NOON, socLow } from '#tests/api/fake-server.js';
import { VirtualTime } from '#tests/support/virtual-time.js';
import { alarmText, textsOf } from '#texts/catalogue.js';
import type { EmailConfig } from '../config.js';
import { createEmailChannel } from './email.js';
import { createNotifier, type NotifierLimits, wordNotice } from './notifier.js';

/** The part of `smtp-server` that is used here; it brings no types. */
interface SmtpServer {
  server: { address(): AddressInfo };
  listen(port: number, host: string, done: () => void): void;
  close(done: () => void): void;
}
type SmtpServerClass = new (options: object) => SmtpServer;
const { SMTPServer } = createRequire(import.meta.url)('smtp-server') as { SMTPServer: SmtpServerClass };

const MINUTE = 60_000;
const textOf = (rule: string) => alarmText(textsOf('en').alarms, rule);
const announcement = (overrides = {}) => ({ alarm: socLow('kyzyl-art', overrides), postName: 'Kyzyl-Art', at: NOON });
const log = { info() {}, warn() {}, error() {} };

const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

/** A mail peer on loopback. Refuses recipients while `refusing` is set. */
async function mailPeer() {
  const peer = { mails: [] as string[], recipients: [] as string[], refusing: false, arrived: () => {} };
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS'],
    onRcptTo(address: { address: string }, _session: unknown, done: (error?: Error) => void) {
      if (peer.refusing) return done(new Error('greylisted'));
      peer.recipients.push(address.address);
      done();
    },
    onData(stream: NodeJS.ReadableStream, _session: unknown, done: () => void) {
      let text = '';
      stream.on('data', (chunk: Buffer) => {
        text += chunk.toString('utf8');
      });
      stream.on('end', () => {
        peer.mails.push(text);
        done();
        peer.arrived();
      });
    },
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const close = () => new Promise<void>((resolve) => server.close(resolve));
  closers.push(close);
  const config: EmailConfig = {
    host: '127.0.0.1',
    port: server.server.address().port,
    secure: false,
    from: 'oftob@posts.example',
    to: ['engineer@town.example', 'second@town.example'],
    minPriority: 3,
  };
  return { peer, config, close };
}

describe('e-mail', () => {
  test('arrives at every address, with what it means and what to do', async () => {
    const { peer, config } = await mailPeer();
    await createEmailChannel(config).send(wordNotice(announcement(), textOf, NOON));
    expect(peer.recipients).toEqual(['engineer@town.example', 'second@town.example']);
    expect(peer.mails[0]).toContain('Subject: [P3] Kyzyl-Art: Battery low');
    expect(peer.mails[0]).toMatch(/Value: 28 %\r\nLimit: 30 %/);
    expect(peer.mails[0]).toContain('What to do: Look at the weather ahead');
  });

  test('rejects when nobody listens and when the peer refuses', async () => {
    const { peer, config, close } = await mailPeer();
    peer.refusing = true;
    const notice = { subject: 's', text: 't' };
    await expect(createEmailChannel(config).send(notice)).rejects.toThrow(/greylisted/);
    await close();
    await expect(createEmailChannel(config).send(notice)).rejects.toThrow(/ECONNREFUSED/);
  });

  test('a refused notice is sent when the peer takes mail again', async () => {
    const { peer, config } = await mailPeer();
    const time = new VirtualTime(NOON);
    const notifier = createNotifier({
      channel: createEmailChannel(config),
      minPriority: 3,
      textOf,
      clock: time,
      scheduler: time,
      log,
    });
    peer.refusing = true;
    notifier.announce(announcement());
    while (notifier.counters().noticesFailed === 0) await new Promise((resolve) => setImmediate(resolve));
    peer.refusing = false;
    const arrived = new Promise<void>((resolve) => {
      peer.arrived = resolve;
    });
    await time.advance(15_000);
    await arrived;
    while (notifier.counters().noticesSent === 0) await new Promise((resolve) => setImmediate(resolve));
    expect(notifier.counters()).toMatchObject({ noticesSent: 1, noticesFailed: 1, noticesWaiting: 0 });
  });
});

describe('the notifier', () => {
  function notify(options: { failing?: boolean; limits?: Partial<NotifierLimits>; minPriority?: 1 | 2 | 3 } = {}) {
    const time = new VirtualTime(NOON);
    const sent: string[] = [];
    const channel = {
      failing: options.failing ?? false,
      async send({ subject }: { subject: string }) {
        if (channel.failing) throw new Error('no route');
        sent.push(subject);
      },
    };
    const notifier = createNotifier({
      channel,
      minPriority: options.minPriority ?? 3,
      textOf,
      clock: time,
      scheduler: time,
      log,
      ...(options.limits !== undefined && { limits: options.limits }),
    });
    return { time, sent, channel, notifier };
  }

  test('less important alarms than asked for are left out', async () => {
    const { notifier, time, sent } = notify({ minPriority: 2 });
    notifier.announce(announcement());
    notifier.announce(announcement({ priority: 1, rule: 'pumpDryRun' }));
    await time.advance(0);
    expect(sent).toEqual(['[P1] Kyzyl-Art: Pump runs dry']);
  });

  test('an outage is met with growing pauses, and everything is sent in order after it', async () => {
    const { notifier, time, sent, channel } = notify({ failing: true });
    notifier.announce(announcement());
    notifier.announce(announcement({ rule: 'postSilent' }));
    await time.advance(60 * MINUTE);
    const { noticesFailed } = notifier.counters();
    expect(noticesFailed).toBeGreaterThan(5);
    expect(noticesFailed).toBeLessThan(12);
    channel.failing = false;
    await time.advance(16 * MINUTE);
    expect(sent.map((subject) => subject.replace(/.*: /, ''))).toEqual(['Battery low', expect.any(String)]);
    expect(notifier.counters()).toMatchObject({ noticesSent: 2, noticesWaiting: 0, noticesDropped: 0 });
  });

  test('a flood drops the least important first, and says how many', async () => {
    const { notifier, time } = notify({ failing: true, limits: { waitingMax: 3 } });
    notifier.announce(announcement({ priority: 1 }));
    for (let index = 0; index < 5; index += 1) notifier.announce(announcement());
    notifier.announce(announcement({ priority: 2 }));
    await time.advance(0);
    expect(notifier.counters()).toMatchObject({ noticesWaiting: 3, noticesDropped: 4 });
  });

  test('yesterday’s notice is of no use', async () => {
    const { notifier, time, sent, channel } = notify({ failing: true });
    notifier.announce(announcement());
    await time.advance(25 * 60 * MINUTE);
    channel.failing = false;
    await time.advance(20 * MINUTE);
    expect(sent).toEqual([]);
    expect(notifier.counters()).toMatchObject({ noticesExpired: 1, noticesWaiting: 0 });
  });

  test('a name cannot write a header', () => {
    const { subject } = wordNotice({ ...announcement(), postName: 'Post\r\nBcc: all@x.example' }, textOf, NOON);
    expect(subject).not.toMatch(/[\r\n]/);
  });
});
