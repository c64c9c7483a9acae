// A serial port as a wire for RTU frames.
import { SerialPort } from 'serialport';
import { failed, ok } from '#domain/result.js';
import type { SerialLine } from '../config.js';
import { disconnected, type OpenLine } from './byte-line.js';

export function serialLine(path: string, line: SerialLine): OpenLine {
  return (events) =>
    new Promise((resolve) => {
      const { baud: baudRate, parity, stopBits } = line;
      // With `autoOpen` off the constructor touches no device; every fault of the port comes through `open`.
      const port = new SerialPort({ path, baudRate, parity, stopBits, dataBits: 8, autoOpen: false });
      let why = `${path} was closed`;
      port.on('error', (error) => {
        why = `${path}: ${error.message}`;
      });
      port.on('close', (error?: Error | null) => events.closed(error ? `${path}: ${error.message}` : why));
      port.on('data', (bytes: Buffer) => events.data(bytes));
      port.open((error) => {
        if (error) resolve(failed(disconnected(`${path}: ${error.message}`)));
        else
          resolve(
            ok({
              write: (bytes) =>
                new Promise((written) => {
                  // `drain` waits until the bytes are on the wire, so that the silence is counted from their end.
                  port.write(Buffer.from(bytes), () => port.drain(() => written()));
                }),
              destroy: () =>
                new Promise((closed) => {
                  if (port.isOpen) port.close(() => closed());
                  else closed();
                }),
            }),
          );
      });
    });
}
