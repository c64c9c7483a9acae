// A file of any size to a server's route, without being held in memory.
import { createReadStream, type ReadStream } from 'node:fs';
import { type IncomingMessage, request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { failed, ok, type Result } from '#domain/result.js';

export interface UploadFault {
  /** `unreachable`: nobody listens. `broken`: the connection ended before the answer. */
  readonly kind: 'unreachable' | 'broken';
  readonly message: string;
}

export interface Answer {
  readonly status: number;
  readonly text: string;
}

/** While it takes the file it says nothing for no longer than this. */
const SILENCE_MS = 60_000;
/** Storing may take hours; that the machine is still there is asked so often. */
const KEEP_ALIVE_MS = 30_000;
const ANSWER_CHARS_MAX = 64 * 1024;

/**
 * Posts the file. An answer that comes before the whole file was sent counts, and ends the sending. Settles at the latest when
 * the server or its machine is gone.
 * @param bytes of the file
 */
export function upload(file: string, bytes: number, url: URL, mediaType: string): Promise<Result<Answer, UploadFault>> {
  return new Promise((resolve) => {
    const request = (url.protocol === 'https:' ? requestHttps : requestHttp)(url, {
      method: 'POST',
      headers: { 'content-type': mediaType, 'content-length': bytes, accept: 'application/json' },
      timeout: SILENCE_MS,
      agent: false,
    });
    let source: ReadStream | undefined;
    let isAnswered = false;
    let isConnected = false;
    const settle = (result: Result<Answer, UploadFault>) => {
      source?.destroy();
      request.destroy();
      resolve(result);
    };
    const breakOff = (message: string) => {
      if (!isAnswered) settle(failed({ kind: isConnected ? 'broken' : 'unreachable', message }));
    };
    request.once('socket', (socket) => {
      socket.setKeepAlive(true, KEEP_ALIVE_MS);
      socket.once('connect', () => {
        isConnected = true;
      });
    });
    request.once('timeout', () => breakOff(`it took nothing for ${SILENCE_MS / 1000} s`));
    request.once('finish', () => request.setTimeout(0));
    request.on('error', (error) => breakOff(messageOf(error)));
    request.once('response', (response) => {
      isAnswered = true;
      readText(response, (text) => settle(ok({ status: response.statusCode ?? 0, text })));
    });
    source = createReadStream(file);
    source.once('error', (error) => breakOff(error.message));
    source.pipe(request);
  });
}

/** What it has said when it ends, also where it ends early. */
function readText(response: IncomingMessage, done: (text: string) => void): void {
  let text = '';
  response.setEncoding('utf8');
  response.on('data', (chunk: string) => {
    if (text.length < ANSWER_CHARS_MAX) text += chunk;
  });
  response.on('error', () => done(text));
  response.once('end', () => done(text));
}

/** Where a name has several addresses, Node's error has no message of its own. */
function messageOf(error: Error): string {
  const { code } = error as NodeJS.ErrnoException;
  return error.message || code || 'no connection';
}
