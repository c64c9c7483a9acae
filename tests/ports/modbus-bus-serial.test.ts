// The RTU bus on a serial port: a pseudo-terminal whose other end is the slave. socat makes it.
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe } from 'vitest';
import { createRtuBus } from '#gateway/bus/rtu-bus.js';
import { modbusBusSuite } from './modbus-bus.suite.js';

const SOCAT = '/usr/bin/socat';
const running: { process: ChildProcess; folder: string }[] = [];

/** Starts socat and waits until it says that both ends are there. */
async function openTerminal(port: number): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'oftob-serial-'));
  const path = join(folder, 'tty');
  const process = spawn(SOCAT, ['-d', '-d', `PTY,link=${path},rawer`, `TCP:127.0.0.1:${port},nodelay`], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  running.push({ process, folder });
  await new Promise<void>((resolve, reject) => {
    let said = '';
    process.stderr?.on('data', (bytes: Buffer) => {
      said += bytes.toString();
      if (said.includes('starting data transfer loop')) resolve();
    });
    process.on('exit', () => reject(new Error(said)));
  });
  return path;
}

// Without socat there is no serial line to test on; `npm test` installs it where it can.
describe.runIf(existsSync(SOCAT))('a serial line', () => {
  afterEach(() => {
    for (const { process, folder } of running.splice(0)) {
      process.kill();
      rmSync(folder, { recursive: true, force: true });
    }
  });

  modbusBusSuite('Modbus RTU on a serial port', {
    framing: 'rtu',
    hasConnections: false,
    create: async (port, options = {}) =>
      createRtuBus(await openTerminal(port), { line: { baud: 19_200, parity: 'none', stopBits: 1 }, ...options }),
  });
});
