import { expect, test } from 'vitest';
import { goodReading, invalidReading } from '#domain/reading.js';
import { createDeviceWatch } from './device-watch.js';

test('a device that falls silent is told once, with its code, and once when it answers again', () => {
  const lines: [string, object, string][] = [];
  const watch = createDeviceWatch({
    info: (fields, message) => lines.push(['info', fields, message]),
    warn: (fields, message) => lines.push(['warn', fields, message]),
  });
  const poll = (state: string, reading = goodReading('load.power', 5, 0)) =>
    watch([{ device: 'meter', at: 0, readings: [reading, goodReading('poll.state', state, 0)] }]);
  poll('answering');
  poll('silent', invalidReading('load.power', 'timeout', 0));
  poll('silent', invalidReading('load.power', 'timeout', 0));
  poll('answering');
  expect(lines).toEqual([
    ['warn', { device: 'meter', code: 'BUS_TIMEOUT' }, 'device "meter" is silent; see docs/operations.md'],
    ['info', { device: 'meter' }, 'device "meter" answers again'],
  ]);
});
