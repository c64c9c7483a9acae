// `oftob demo`: the whole chain on one machine, with simulated posts.
import { existsSync } from 'node:fs';
import { type Command, done, fault, integerOf, textOf } from './command.js';
import { startDemo } from './demo/run-demo.js';
import { WEB_FOLDER } from './places.js';
import { createLog, systemClock, systemRandom, systemScheduler, untilSignal } from './system.js';

export const demo: Command = {
  name: 'demo',
  summary: 'Runs everything on this machine: simulated posts, gateways, broker, server, dashboards.',
  usage: '[options]',
  options: [
    { name: 'scenario', value: 'NAME', meaning: 'other posts; oftob simulate --list shows them', preset: 'demo' },
    { name: 'posts', value: 'N', meaning: 'number of posts (default: as many as the scenario has)' },
    { name: 'port', value: 'N', meaning: 'port of the dashboards', preset: '8080' },
    { name: 'data', value: 'DIR', meaning: 'keep the data here (a folder that goes with the demo)' },
    { name: 'store', value: 'embedded|influx://…', meaning: 'where telemetry is kept', preset: 'embedded' },
    { name: 'broker', value: 'embedded|mqtt://…', meaning: 'the MQTT broker', preset: 'embedded' },
    { name: 'log', value: 'LEVEL', meaning: 'fatal, error, warn, info or debug', preset: 'error' },
  ],
  example: 'oftob demo --posts 5 --port 9000',
  async run(options) {
    const posts = integerOf(options, 'posts', 1, 200);
    if (!posts.ok) return posts;
    const port = integerOf(options, 'port', 0, 65535);
    if (!port.ok) return port;
    if (!existsSync(WEB_FOLDER)) return fault('DEMO_NOT_BUILT', 'the dashboards are not built. Run: npm run build');
    const dataFolder = textOf(options, 'data');
    const started = await startDemo(
      {
        scenario: textOf(options, 'scenario') ?? 'demo',
        ...(posts.value === undefined ? {} : { posts: posts.value }),
        port: port.value ?? 8080,
        store: textOf(options, 'store') ?? 'embedded',
        broker: textOf(options, 'broker') ?? 'embedded',
        ...(dataFolder === undefined ? {} : { dataFolder }),
      },
      {
        clock: systemClock,
        scheduler: systemScheduler,
        random: systemRandom,
        log: createLog(textOf(options, 'log') ?? 'error'),
      },
    );
    if (!started.ok) return started;
    process.stdout.write(`Oftob is at ${started.value.url} (Ctrl-C stops it)\n`);
    await untilSignal();
    await started.value.stop();
    return done;
  },
};
