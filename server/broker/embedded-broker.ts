// The broker inside the server: aedes on loopback, with what it lacks (a limit of announced bytes, rules per client).
import { randomBytes } from 'node:crypto';
import { createServer, type Server, type Socket } from 'node:net';
import { Aedes, type AuthenticateError, type Client } from 'aedes';
import { failed, ok, type Result } from '#domain/result.js';
import { createPacketGuard } from './packet-guard.js';
import { mayPublish, maySubscribe, type Party, partyOf } from './topic-rules.js';

export interface EmbeddedBrokerOptions {
  readonly fleet: string;
  /** 0 takes any free port. */
  readonly port: number;
  readonly host?: '127.0.0.1' | '::1';
  readonly connectionsMax?: number;
}

export interface EmbeddedBroker {
  readonly port: number;
  /** `mqtt://127.0.0.1:<port>` */
  readonly url: string;
  /** Drawn at each start: without them nobody is taken for the server. */
  readonly credentials: { readonly username: string; readonly password: string };
  counters(): Readonly<Record<string, number>>;
  /** Cuts every client and frees the port. */
  close(): Promise<void>;
}

export interface BrokerFault {
  /** `BROKER_PORT_TAKEN`: another program listens there. `BROKER_PORT_REFUSED`: the system does not give it. */
  readonly code: 'BROKER_PORT_TAKEN' | 'BROKER_PORT_REFUSED';
  readonly message: string;
}

/** Largest packet that a client may announce: the largest payload of the contract, with its topic. */
export const PACKET_BYTES_MAX = 256 * 1024;
const CONNECTIONS_MAX = 12_000;
/** One client that does not read holds up all others until it is cut. */
const DRAIN_TIMEOUT_MS = 5000;
const CONNECT_TIMEOUT_MS = 10_000;
/** CONNACK codes of MQTT 3.1.1, section 3.2.2.3. */
const IDENTIFIER_REJECTED = 2;
const BAD_USERNAME_OR_PASSWORD = 4;

export async function startEmbeddedBroker(
  options: EmbeddedBrokerOptions,
): Promise<Result<EmbeddedBroker, BrokerFault>> {
  const { fleet, host = '127.0.0.1', port } = options;
  const counters = {
    brokerConnections: 0,
    brokerConnectionsOverLimit: 0,
    brokerClientsRefused: 0,
    brokerClientsTakenOver: 0,
    brokerClientErrors: 0,
    brokerClientsStuck: 0,
    brokerPacketsTooLarge: 0,
    brokerPublishesRefused: 0,
    brokerSubscriptionsRefused: 0,
  };
  const credentials = { username: 'server', password: randomBytes(18).toString('base64url') };
  const present = new Set<string>();
  const aedes = await Aedes.createBroker({
    drainTimeout: DRAIN_TIMEOUT_MS,
    connectTimeout: CONNECT_TIMEOUT_MS,
    ...rulesOf(fleet, credentials, present, counters),
  });
  aedes.on('client', (client) => present.add(client.id));
  aedes.on('clientDisconnect', (client) => present.delete(client.id));
  const sockets = new Set<Socket>();
  const server = createServer({ noDelay: true }, (socket) => {
    counters.brokerConnections += 1;
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    aedes.handle(socket);
    guard(socket, () => {
      counters.brokerPacketsTooLarge += 1;
    });
  });
  server.maxConnections = options.connectionsMax ?? CONNECTIONS_MAX;
  server.on('drop', () => {
    counters.brokerConnectionsOverLimit += 1;
  });
  countErrors(aedes, counters);
  const listening = await listen(server, host, port);
  if (!listening.ok) {
    await new Promise<void>((resolve) => aedes.close(resolve));
    return listening;
  }
  const url = `mqtt://${host.includes(':') ? `[${host}]` : host}:${listening.value}`;
  return ok({
    port: listening.value,
    url,
    credentials,
    counters: () => ({ ...counters, brokerClients: aedes.connectedClients }),
    async close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      await new Promise<void>((resolve) => aedes.close(resolve));
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  });
}

/**
 * Looks at each chunk as aedes takes it: `read()` tells 'data' before it returns. Attached after aedes has asked for
 * 'readable', so that it does not set the stream flowing.
 */
function guard(socket: Socket, tooLarge: () => void): void {
  const accepts = createPacketGuard(PACKET_BYTES_MAX);
  socket.on('data', (chunk: Buffer) => {
    if (socket.destroyed || accepts(chunk)) return;
    tooLarge();
    socket.destroy();
  });
}

interface RuleCounters {
  brokerClientsTakenOver: number;
  brokerClientsRefused: number;
  brokerPublishesRefused: number;
  brokerSubscriptionsRefused: number;
}

type Rules = Pick<
  NonNullable<ConstructorParameters<typeof Aedes>[0]>,
  'authenticate' | 'authorizePublish' | 'authorizeSubscribe'
>;

function rulesOf(
  fleet: string,
  credentials: { username: string; password: string },
  present: ReadonlySet<string>,
  counters: RuleCounters,
): Required<Rules> {
  const party = (client: Client | null): Party | undefined =>
    client === null ? undefined : partyOf(fleet, client.id ?? '');
  return {
    authenticate(client, username, password, done) {
      const who = party(client);
      const isKnown =
        who?.kind === 'post' || (username === credentials.username && password?.toString() === credentials.password);
      // A kept session would queue in memory, without a limit, what a post in a power cut does not fetch.
      const fault = who === undefined || !client.clean ? IDENTIFIER_REJECTED : BAD_USERNAME_OR_PASSWORD;
      if (who !== undefined && isKnown && client.clean) {
        // A gateway's id is its own at every start: this counts those that come back before their old connection is given up.
        if (present.has(client.id)) counters.brokerClientsTakenOver += 1;
        done(null, true);
        return;
      }
      counters.brokerClientsRefused += 1;
      done(Object.assign(new Error('refused'), { returnCode: fault }) as AuthenticateError, false);
    },
    authorizePublish(client, packet, done) {
      const who = party(client);
      if (who !== undefined && mayPublish(fleet, who, packet.topic)) {
        done(null);
        return;
      }
      counters.brokerPublishesRefused += 1;
      done(new Error(`may not publish to ${packet.topic}`));
    },
    authorizeSubscribe(client, subscription, done) {
      const who = party(client);
      if (who !== undefined && maySubscribe(fleet, who, subscription.topic)) {
        done(null, subscription);
        return;
      }
      counters.brokerSubscriptionsRefused += 1;
      done(null, null);
    },
  };
}

function countErrors(aedes: Aedes, counters: { brokerClientErrors: number; brokerClientsStuck: number }): void {
  const count = (_client: Client, error: Error): void => {
    if (error.message === 'drain timeout') counters.brokerClientsStuck += 1;
    else counters.brokerClientErrors += 1;
  };
  aedes.on('clientError', count);
  aedes.on('connectionError', count);
}

function listen(server: Server, host: string, port: number): Promise<Result<number, BrokerFault>> {
  return new Promise((resolve) => {
    server.once('error', (error: NodeJS.ErrnoException) => resolve(failed(portFault(error, host, port))));
    server.listen(port, host, () => {
      const address = server.address();
      resolve(ok(typeof address === 'object' && address !== null ? address.port : port));
    });
  });
}

function portFault(error: NodeJS.ErrnoException, host: string, port: number): BrokerFault {
  if (error.code === 'EADDRINUSE')
    return {
      code: 'BROKER_PORT_TAKEN',
      message: `port ${port} on ${host} is taken (another broker, or another server): stop it, or set another brokerPort`,
    };
  return {
    code: 'BROKER_PORT_REFUSED',
    message: `cannot listen on port ${port} of ${host}: ${error.message}. Set another brokerPort`,
  };
}
