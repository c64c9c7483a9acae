// `oftob server`: the centre of one fleet.
import { parseServerConfig } from '#server/config.js';
import { startServer } from '#server/server.js';
import { type Command, done, textOf } from './command.js';
import { readConfig } from './config-file.js';
import { serverParts } from './server-parts.js';
import { createLog, systemClock, systemRandom, systemScheduler, untilSignal } from './system.js';

export const server: Command = {
  name: 'server',
  summary: 'Runs the server of one fleet: ingest, store, alarms, API, dashboards.',
  usage: '--config FILE',
  options: [
    { name: 'config', value: 'FILE', meaning: 'the server’s configuration (YAML), see deploy/server.yaml' },
    { name: 'log', value: 'LEVEL', meaning: 'fatal, error, warn, info or debug', preset: 'info' },
  ],
  example: 'oftob server --config /etc/oftob/server.yaml',
  async run(options) {
    const config = readConfig(textOf(options, 'config'), 'server', parseServerConfig);
    if (!config.ok) return config;
    const log = createLog(textOf(options, 'log') ?? 'info');
    const started = await startServer(config.value, {
      clock: systemClock,
      scheduler: systemScheduler,
      random: systemRandom,
      log,
      ...serverParts(),
    });
    if (!started.ok) return started;
    process.stdout.write(`Oftob server is at ${started.value.url} (Ctrl-C stops it)\n`);
    await untilSignal();
    await started.value.stop();
    return done;
  },
};
