// TCP sockets: opened within a time, and as a wire for RTU frames.
import { connect, type Socket } from 'node:net';
import type { Scheduler } from '#domain/clock.js';
import { failed, ok, type Result } from '#domain/result.js';
import type { BusFault } from '../ports.js';
import { disconnected, type OpenLine } from './byte-line.js';

export interface SocketOptions {
  readonly host: string;
  readonly port: number;
  readonly connectTimeoutMs?: number;
}

const CONNECT_TIMEOUT_MS = 3000;

/** A connected socket without listeners, or why there is none. */
export function openSocket(options: SocketOptions, scheduler: Scheduler): Promise<Result<Socket, BusFault>> {
  return new Promise((resolve) => {
    const socket = connect({ host: options.host, port: options.port, noDelay: true, keepAlive: true });
    const refuse = (why: string) => {
      cancel();
      socket.destroy();
      resolve(failed(disconnected(`${options.host}:${options.port}: ${why}`)));
    };
    const cancel = scheduler.after(options.connectTimeoutMs ?? CONNECT_TIMEOUT_MS, () =>
      refuse('no answer to connect'),
    );
    socket.on('error', (error) => refuse(error.message || 'refused'));
    socket.once('connect', () => {
      cancel();
      socket.removeAllListeners('error');
      resolve(ok(socket));
    });
  });
}

/** RTU frames through a socket: a serial server in transparent mode. */
export function socketLine(options: SocketOptions, scheduler: Scheduler): OpenLine {
  return async (events) => {
    const opened = await openSocket(options, scheduler);
    if (!opened.ok) return opened;
    const socket = opened.value;
    const peer = `${options.host}:${options.port}`;
    let why = `${peer} closed the connection`;
    socket.on('error', (error) => {
      why = `${peer}: ${error.message}`;
    });
    socket.on('close', () => events.closed(why));
    socket.on('data', (bytes) => events.data(bytes));
    return ok({
      write: (bytes) => new Promise((resolve) => socket.write(bytes, () => resolve())),
      async destroy() {
        socket.destroy();
      },
    });
  };
}
