// A serial line without a wire: a pseudo-terminal whose other end any program opens as it would a USB converter.
import { spawn } from 'node:child_process';
import { closeSync, constants, mkdtempSync, openSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { answerRtu } from './modbus-rtu.js';
import { createWaiting, type ServedBus, type ServedUnits } from './slave.js';

/** `socat` (apt-get install socat) opens the pseudo-terminal; a program in JavaScript cannot. */
const PROGRAM = 'socat';
/** What it says when the line is open and has its name. */
const READY = 'starting data transfer loop';

/** Starts a slave on a pseudo-terminal. Rejects where `socat` is missing or opens none. */
export function serveRtu(options: ServedUnits): Promise<ServedBus> {
  const folder = mkdtempSync(join(tmpdir(), 'oftob-line-'));
  const place = join(folder, 'tty');
  const waiting = createWaiting(options);
  const child = spawn(PROGRAM, ['-d', '-d', `pty,raw,echo=0,link=${place}`, 'stdio'], { stdio: 'pipe' });
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  return new Promise((resolve, reject) => {
    let said = '';
    const fail = (reason: string): void => {
      rmSync(folder, { recursive: true, force: true });
      reject(new Error(reason));
    };
    child.once('error', () => fail(`${PROGRAM} is not installed; run: apt-get install ${PROGRAM}`));
    child.once('exit', () => fail(`${PROGRAM} opened no pseudo-terminal: ${said.trim()}`));
    child.stderr.on('data', (chunk: Buffer) => {
      if (said.includes(READY)) return;
      said += chunk.toString();
      if (!said.includes(READY)) return;
      // Held open, so that the line does not hang up whenever a reader goes.
      const held = openSync(place, constants.O_RDWR | constants.O_NOCTTY | constants.O_NONBLOCK);
      child.removeAllListeners('exit');
      child.stdin.on('error', () => child.kill());
      const line = {
        onBytes: (listener: (chunk: Buffer) => void) => child.stdout.on('data', listener),
        write: (bytes: Buffer) => child.stdin.write(bytes),
        cut: () => undefined,
      };
      answerRtu(line, options, waiting);
      resolve({
        port: 0,
        place,
        async close() {
          waiting.end();
          closeSync(held);
          child.kill();
          await ended;
          rmSync(folder, { recursive: true, force: true });
        },
      });
    });
  });
}
