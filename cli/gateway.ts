// `oftob gateway`: reads one post's devices and brings what they say to the server.
import { parseGatewayConfig } from '#gateway/config.js';
import { loadCatalog } from '#profiles/catalog.js';
import { machineClockQuality } from './clock-quality.js';
import { type Command, done, textOf } from './command.js';
import { readConfig } from './config-file.js';
import { openGateway } from './post-gateway.js';
import { bootId, createLog, systemClock, systemRandom, systemScheduler, untilSignal } from './system.js';

export const gateway: Command = {
  name: 'gateway',
  summary: 'Runs the gateway of one post.',
  usage: '--config FILE',
  options: [
    { name: 'config', value: 'FILE', meaning: 'the post’s configuration (YAML), see deploy/gateway.yaml' },
    { name: 'log', value: 'LEVEL', meaning: 'fatal, error, warn, info or debug', preset: 'info' },
  ],
  example: 'oftob gateway --config /etc/oftob/gateway.yaml',
  async run(options) {
    const { profiles: catalog } = loadCatalog();
    const config = readConfig(textOf(options, 'config'), 'gateway', (text) => parseGatewayConfig(text, catalog));
    if (!config.ok) return config;
    const log = createLog(textOf(options, 'log') ?? 'info').child({ post: config.value.post });
    const boot = bootId();
    const opened = openGateway(config.value, {
      ...(boot === undefined ? {} : { boot }),
      catalog,
      clock: systemClock,
      scheduler: systemScheduler,
      random: systemRandom,
      log,
      clockQuality: () => machineClockQuality(systemClock.now()),
    });
    if (!opened.ok) return opened;
    opened.value.start();
    log.info({ devices: config.value.devices.length, mqtt: config.value.mqtt.url }, 'gateway is running');
    await untilSignal();
    await opened.value.stop();
    return done;
  },
};
