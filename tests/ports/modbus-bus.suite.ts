// What every `Bus` must do, whatever it runs over. Registers of the slave hold their own address, so that a wrong answer shows.
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Bus, BusRequest } from '#gateway/ports.js';
import { type Framing, type SlaveQuestion, startSlave, type TestSlave } from './modbus-slave.js';

const PATIENT_MS = 5000;
const HASTY_MS = 80;

/** A read of ten holding registers of unit 1 from `start`. */
function request(start: number, more: Partial<BusRequest> = {}): BusRequest {
  return { unit: 1, table: 'holding', start, count: 10, timeoutMs: PATIENT_MS, ...more };
}

function addresses(start: number, count = 10): number[] {
  return Array.from({ length: count }, (_, index) => start + index);
}

export interface BusUnderTest {
  readonly framing: Framing;
  /** A bus to the slave on this port. More options go to the bus. */
  create(port: number, options?: object): Bus | Promise<Bus>;
  /** False where the slave cannot end the line, nor see it opened anew: a serial port. */
  readonly hasConnections: boolean;
}

export function modbusBusSuite(name: string, { framing, create, hasConnections }: BusUnderTest): void {
  describe(name, () => {
    let slave: TestSlave;
    let bus: Bus;

    beforeEach(async () => {
      slave = await startSlave(framing);
      bus = await create(slave.port);
    });

    afterEach(async () => {
      await bus.close();
      await slave.close();
    });

    describe('a well-behaved slave', () => {
      test('gives the words of the registers asked for', async () => {
        expect(await bus.read(request(100))).toEqual({ ok: true, value: addresses(100) });
        expect(slave.questions[0]).toMatchObject({ unit: 1, function: 3, start: 100, count: 10 });
      });

      test.each([
        ['input', 4],
        ['holding', 3],
      ] as const)('is asked for table %s by function %i, up to 125 registers', async (table, code) => {
        expect(await bus.read(request(65_400, { table, count: 125 }))).toEqual({
          ok: true,
          value: addresses(65_400, 125),
        });
        expect(slave.questions[0]).toMatchObject({ function: code });
      });

      test.each([
        ['coil', 1],
        ['discrete', 2],
      ] as const)('is asked for table %s by function %i and gives one bit each', async (table, code) => {
        slave.behave = (question) => question.answer([1, 0, 1, 1, 0, 0, 0, 1, 0, 1, 1]);
        expect(await bus.read(request(3, { table, count: 11 }))).toEqual({
          ok: true,
          value: [1, 0, 1, 1, 0, 0, 0, 1, 0, 1, 1],
        });
        expect(slave.questions[0]).toMatchObject({ function: code, count: 11 });
      });

      test('is asked one question at a time, however many are put', async () => {
        let open = 0;
        let openMost = 0;
        slave.behave = (question) => {
          open += 1;
          openMost = Math.max(openMost, open);
          setImmediate(() => {
            open -= 1;
            question.answer();
          });
        };
        const starts = [0, 1000, 2000, 3000, 4000, 5000];
        const attempts = await Promise.all(
          starts.map((start, index) => bus.read(request(start, { unit: 1 + (index % 2) }))),
        );
        expect(attempts).toEqual(starts.map((start) => ({ ok: true, value: addresses(start) })));
        expect(openMost).toBe(1);
      });

      test('may be another unit than the one asked, where the request says so', async () => {
        slave.behave = (question) => question.reply(1, [3, 4, 0, 7, 0, 8]);
        expect(await bus.read(request(0, { unit: 255, replyUnit: 1, count: 2 }))).toEqual({ ok: true, value: [7, 8] });
      });

      test('may be unit 0', async () => {
        expect(await bus.read(request(0, { unit: 0 }))).toEqual({ ok: true, value: addresses(0) });
      });
    });

    describe('an exception', () => {
      test('is told with its code, and the next request is answered', async () => {
        slave.behave = (question) => (question.start === 50 ? question.exception(2) : question.answer());
        expect(await bus.read(request(50))).toMatchObject({
          ok: false,
          fault: { code: 'BUS_EXCEPTION', exception: 2 },
        });
        expect(await bus.read(request(60))).toEqual({ ok: true, value: addresses(60) });
        expect(slave.connections).toBe(1);
      });
    });

    describe('a mute slave', () => {
      test('times out, and is heard again when it speaks', async () => {
        slave.behave = () => undefined;
        expect(await bus.read(request(0, { timeoutMs: HASTY_MS }))).toMatchObject({ fault: { code: 'BUS_TIMEOUT' } });
        slave.behave = (question) => question.answer();
        expect(await bus.read(request(20))).toEqual({ ok: true, value: addresses(20) });
      });

      test('times out every time it is asked, and the line is opened anew in between', async () => {
        slave.behave = () => undefined;
        for (let attempt = 0; attempt < 5; attempt += 1)
          expect(await bus.read(request(attempt, { timeoutMs: HASTY_MS, count: attempt + 1 }))).toMatchObject({
            fault: { code: 'BUS_TIMEOUT' },
          });
        if (hasConnections) expect(slave.connections).toBe(2);
      });
    });

    describe('a late answer', () => {
      /** The first question stays unanswered until told. Later ones are answered at once. */
      async function missOne(): Promise<SlaveQuestion> {
        let missed: SlaveQuestion | undefined;
        slave.behave = (question) => {
          missed = question;
        };
        expect(await bus.read(request(100, { timeoutMs: HASTY_MS }))).toMatchObject({ fault: { code: 'BUS_TIMEOUT' } });
        slave.behave = (question) => question.answer();
        return missed!;
      }

      test('that comes between two questions is not taken for the next one’s', async () => {
        const missed = await missOne();
        missed.answer();
        expect(await bus.read(request(200))).toEqual({ ok: true, value: addresses(200) });
        expect(await bus.read(request(300))).toEqual({ ok: true, value: addresses(300) });
      });

      test('that comes after the next question of the same length is not taken for its answer', async () => {
        expect(await bus.read(request(0, { count: 4 }))).toMatchObject({ ok: true });
        const missed = await missOne();
        let waiting = true;
        // In order, as a real slave has it: the late one first, then whatever was asked since.
        slave.behave = (question) => {
          if (waiting) missed.answer();
          waiting = false;
          question.answer();
        };
        expect(await bus.read(request(200))).toEqual({ ok: true, value: addresses(200) });
        expect(await bus.read(request(300))).toEqual({ ok: true, value: addresses(300) });
      });

      test('never shifts a whole row of answers by one', async () => {
        expect(await bus.read(request(0, { count: 4 }))).toMatchObject({ ok: true });
        const backlog: SlaveQuestion[] = [await missOne()];
        // The slave stays one answer behind for six questions.
        let behindFor = 6;
        slave.behave = (question) => {
          backlog.push(question);
          backlog.shift()?.answer();
          behindFor -= 1;
          if (behindFor <= 0) while (backlog.length > 0) backlog.shift()?.answer();
        };
        let right = 0;
        for (let start = 200; start < 1200; start += 100) {
          const attempt = await bus.read(request(start, { timeoutMs: HASTY_MS }));
          if (!attempt.ok) continue;
          expect(attempt.value).toEqual(addresses(start));
          right += 1;
        }
        expect(right).toBeGreaterThan(2);
      });

      test('that never comes costs nothing but its own time-out', async () => {
        await missOne();
        expect(await bus.read(request(100))).toEqual({ ok: true, value: addresses(100) });
      });
    });

    describe('an answer that is none', () => {
      test('damaged on the way: garbled, and the next request is answered', async () => {
        slave.behave = (question) => question.garble();
        expect(await bus.read(request(0))).toMatchObject({ fault: { code: 'BUS_GARBLED' } });
        slave.behave = (question) => question.answer();
        expect(await bus.read(request(40))).toEqual({ ok: true, value: addresses(40) });
      });

      test.each([
        ['from another unit', (question: SlaveQuestion) => question.reply(9, [3, 20, ...Array(20).fill(1)])],
        ['to another function', (question: SlaveQuestion) => question.reply(1, [4, 20, ...Array(20).fill(1)])],
        ['of another length', (question: SlaveQuestion) => question.reply(1, [3, 4, 1, 1, 1, 1])],
      ])('%s: never taken', async (_, behave) => {
        slave.behave = behave;
        expect(await bus.read(request(0, { timeoutMs: HASTY_MS }))).toMatchObject({ fault: { code: 'BUS_GARBLED' } });
        slave.behave = (question) => question.answer();
        expect(await bus.read(request(40, { count: 5 }))).toEqual({ ok: true, value: addresses(40, 5) });
      });
    });

    if (hasConnections)
      describe('a connection that breaks', () => {
        test('inside an answer: disconnected, and opened again by the next request', async () => {
          expect(await bus.read(request(0))).toMatchObject({ ok: true });
          slave.behave = (question) => question.hangUpInside();
          expect(await bus.read(request(10, { count: 20 }))).toMatchObject({ fault: { code: 'BUS_DISCONNECTED' } });
          slave.behave = (question) => question.answer();
          expect(await bus.read(request(30))).toEqual({ ok: true, value: addresses(30) });
        });

        test('a peer that hangs up on everybody is left alone for a while, then longer', async () => {
          let at = 0;
          const watched = await create(slave.port, { clock: { now: () => at, monotonic: () => at } });
          slave.greet = (socket) => socket.destroy();
          const knock = async () => {
            await watched.read(request(0));
            return slave.connections;
          };
          expect(await knock()).toBe(1);
          expect(await knock()).toBe(1);
          at = 300;
          expect(await knock()).toBe(2);
          at = 600;
          expect(await knock()).toBe(2);
          at = 900;
          expect(await knock()).toBe(3);
          await watched.close();
        });

        test('a port where nobody listens: disconnected', async () => {
          const nobody = await startSlave(framing);
          await nobody.close();
          const lonely = await create(nobody.port);
          expect(await lonely.read(request(0))).toMatchObject({ fault: { code: 'BUS_DISCONNECTED' } });
          await lonely.close();
        });
      });

    test('closing the bus settles the running call and those in wait', async () => {
      slave.behave = () => void bus.close();
      const attempts = await Promise.all([bus.read(request(0)), bus.read(request(10))]);
      for (const attempt of attempts) expect(attempt).toMatchObject({ fault: { code: 'BUS_DISCONNECTED' } });
      expect(await bus.read(request(0))).toMatchObject({ fault: { code: 'BUS_DISCONNECTED' } });
    });

    test('closing the bus while it opens leaves no connection behind', async () => {
      const early = await create(slave.port);
      const attempt = early.read(request(0));
      await early.close();
      expect(await attempt).toMatchObject({ fault: { code: 'BUS_DISCONNECTED' } });
      expect(slave.questions).toHaveLength(0);
    });

    test('more waiting calls than a bus can serve are refused at once', async () => {
      slave.behave = () => undefined;
      const first = Array.from({ length: 64 }, (_, index) => bus.read(request(index, { timeoutMs: HASTY_MS })));
      expect(await bus.read(request(0))).toMatchObject({
        fault: { code: 'BUS_TIMEOUT', message: expect.stringMatching(/64/) },
      });
      await bus.close();
      await Promise.all(first);
    });
  });
}
