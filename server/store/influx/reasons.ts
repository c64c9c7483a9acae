// Why InfluxDB refused. Of an answer with a status of 500 or more the client keeps no more than "Internal Server Error", and a
// full disk is one of those; Node tells of every answer that comes in.
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { ClientRequest, IncomingMessage } from 'node:http';

const ANSWERS = 'http.client.response.finish';
const REASON_HEADER = 'x-influxdb-error';

export interface Reasons {
  /** What the last refused request was told, once; `undefined` where nothing was. */
  take(): string | undefined;
  close(): void;
}

/** Listens to the answers of the server at `url`. */
export function listenForReasons(url: URL): Reasons {
  let last: string | undefined;
  const hear = (message: unknown): void => {
    const { request, response } = message as { request: ClientRequest; response: IncomingMessage };
    const reason = response.headers[REASON_HEADER];
    if ((response.statusCode ?? 0) < 500 || request.getHeader('host') !== url.host) return;
    last = typeof reason === 'string' ? reason : undefined;
  };
  subscribe(ANSWERS, hear);
  return {
    take() {
      const reason = last;
      last = undefined;
      return reason;
    },
    close() {
      unsubscribe(ANSWERS, hear);
    },
  };
}
