// What a post costs on a metered link: a virtual day of its real gateway and of the real ingest, every message priced with
// MQTT, TLS 1.3 and TCP/IP around it. `--post three-phases` takes another post, `--hours N` a shorter day.
import { parseArgs } from 'node:util';
import { printTable } from './table.js';
import { POWER_AND_WATER, THREE_PHASES } from './wire/posts.js';
import { seeRealLink } from './wire/real.js';
import { type Kind, VirtualPost } from './wire/virtual-post.js';

const HOUR_MS = 3_600_000;
const START = Date.UTC(2026, 5, 15, 4);
const { values: args } = parseArgs({
  options: {
    post: { type: 'string', default: POWER_AND_WATER.id },
    hours: { type: 'string', default: '24' },
    metrics: { type: 'boolean', default: false },
    /** Seconds on a real connection. */
    real: { type: 'string', default: '20' },
  },
});
const HOURS = Number(args.hours);
const post = [POWER_AND_WATER, THREE_PHASES].find(({ id }) => id === args.post);
if (post === undefined) throw new Error(`no post ${args.post}`);

interface Way {
  readonly name: string;
  readonly full: boolean;
  readonly attendedHours: number;
  /** Most that it may cost. */
  readonly mbMax?: number;
}

const WAYS: readonly Way[] = [
  { name: 'everything, each 60 s', full: true, attendedHours: 0, mbMax: 60 },
  { name: 'by exception, two hours of attention a day', full: false, attendedHours: 2, mbMax: 35 },
  { name: 'by exception, nobody looks', full: false, attendedHours: 0 },
];

const perMonth = (bytes: number): number => (bytes / HOURS) * 24 * 30;
const megabytes = (bytes: number): string => (bytes / 1e6).toFixed(2);
const wireOf = (kinds: ReadonlyMap<string, Kind>): number =>
  [...kinds.values()].reduce((sum, { wireBytes }) => sum + wireBytes, 0);

const rows: (string | number)[][] = [];
for (const way of WAYS) {
  const running = new VirtualPost({ post, full: way.full, startAt: START });
  await running.live((HOURS - way.attendedHours) * HOUR_MS);
  if (way.attendedHours > 0) await running.live(way.attendedHours * HOUR_MS, true);
  const { kinds, polled, samples } = running.tally;
  const wire = wireOf(kinds);
  rows.push([
    way.name,
    polled,
    samples,
    (wire / polled).toFixed(2),
    megabytes(perMonth(wire)),
    way.mbMax === undefined ? '' : `≤ ${way.mbMax}`,
  ]);
  printTable(
    `${way.name}: by kind of message, for 30 days`,
    ['kind', 'messages', 'B of payload in each', 'MB of payload', 'MB on the wire'],
    [...kinds].map(([name, { messages, payloadBytes, wireBytes }]) => [
      name,
      Math.round(perMonth(messages)),
      Math.round(payloadBytes / messages),
      megabytes(perMonth(payloadBytes)),
      megabytes(perMonth(wireBytes)),
    ]),
  );
  if (args.metrics)
    printTable(
      `${way.name}: samples of each metric in a day`,
      ['metric', 'samples'],
      [...running.samplesOf]
        .sort(([, a], [, b]) => b - a)
        .map(([name, count]) => [name, Math.round((count / HOURS) * 24)]),
    );
  await running.close();
}

const running = new VirtualPost({ post, full: true, startAt: START });
await running.live(60_000);
running.cutLink(true);
await running.live(HOURS * HOUR_MS);
const before = { wire: wireOf(running.tally.kinds), samples: running.tally.samples };
running.cutLink(false);
while (running.waiting > 50) await running.live(10_000);
const history = wireOf(running.tally.kinds) - before.wire;
await running.close();

printTable(
  `${post.about}, polled each 10 s for ${HOURS} h; on the wire, with MQTT, TLS, TCP/IP, receipts, pings, birth, state`,
  ['way', 'values polled', 'samples sent', 'B per value polled', 'MB in 30 days', 'promised'],
  rows,
);
printTable(
  'The same hours without a link, everything recorded, then sent as history',
  ['samples sent', 'B per sample on the wire', 'promised'],
  [[before.samples, (history / before.samples).toFixed(2), '≤ 2.5']],
);

const seen = await seeRealLink(post, Number(args.real));
const share = (kernel: number, model: number): string => `${((kernel / model - 1) * 100).toFixed(1)} %`;
printTable(
  `The model against a real TLS 1.3 connection over loopback for ${args.real} s, ${seen.messages} messages, as the kernel counts`,
  ['bytes', 'by the model', 'by the kernel', 'apart'],
  [
    ['in TLS records', seen.modelTlsBytes, seen.kernelTlsBytes, share(seen.kernelTlsBytes, seen.modelTlsBytes)],
    [
      'with the heads of segments and acknowledgements',
      seen.modelWireBytes,
      seen.kernelWireBytes,
      share(seen.kernelWireBytes, seen.modelWireBytes),
    ],
  ],
);
