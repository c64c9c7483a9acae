// Bytes that a real browser fetches until the fleet page shows live values, as compressed on the wire. Run `npm run build` first.
import { startDemo } from '#cli/demo/run-demo.js';
import { systemClock, systemRandom, systemScheduler } from '#cli/system.js';
import { startBrowser } from '#tests/support/browser.js';
import { printTable } from './table.js';

const quiet = { info: () => {}, warn: () => {}, error: () => {} };
const demo = await startDemo(
  { posts: 3, port: 0, store: 'embedded', broker: 'embedded' },
  { clock: systemClock, scheduler: systemScheduler, random: systemRandom, log: quiet, historyMs: 600_000 },
);
if (!demo.ok) throw new Error(demo.fault.message);
const browser = await startBrowser();
const page = await browser.newPage();
const session = await page.context().newCDPSession(page);
await session.send('Network.enable');
const names = new Map<string, string>();
const rows: [string, number][] = [];
session.on('Network.responseReceived', ({ requestId, response }) =>
  names.set(requestId, new URL(response.url).pathname),
);
session.on('Network.loadingFinished', ({ requestId, encodedDataLength }) =>
  rows.push([names.get(requestId) ?? '', encodedDataLength]),
);
let liveBytes = 0;
session.on('Network.webSocketFrameReceived', ({ response }) => {
  liveBytes += Buffer.byteLength(response.payloadData);
});
await page.goto(`${demo.value.url}/`);
await page.waitForFunction(() => /\d\s%/.test(document.body.textContent ?? ''));
rows.push(['live messages (websocket, before compression)', liveBytes]);
const total = rows.reduce((sum, [, bytes]) => sum + bytes, 0);
printTable('First load of the fleet page, heads included', ['resource', 'bytes'], [...rows, ['in all', total]]);
await browser.close();
await demo.value.stop();
