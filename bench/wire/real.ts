// The gateway's model of its wire held against a real TLS 1.3 connection over loopback: gateway, broker and ingest as they are, and
// what the kernel says that went through the socket.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { type AddressInfo, connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TLSSocket } from 'node:tls';
import { systemClock, systemRandom, systemScheduler } from '#cli/system.js';
import { parseGatewayConfig } from '#gateway/config.js';
import { createGateway } from '#gateway/gateway.js';
import { openSqliteOutbox } from '#gateway/outbox/sqlite-outbox.js';
import { createPostReader } from '#gateway/poll/post-reader.js';
import type { OpenLink } from '#gateway/uplink/link.js';
import { mqttCarrier } from '#gateway/uplink/mqtt-carrier.js';
import {
  PUBACK_BYTES,
  publishBytes,
  publishWireBytes,
  SEGMENT_HEAD_BYTES,
  tlsBytes,
} from '#gateway/uplink/wire-bytes.js';
import { loadCatalog } from '#profiles/catalog.js';
import { startEmbeddedBroker } from '#server/broker/embedded-broker.js';
import { createIngestService } from '#server/ingest/ingest-service.js';
import { createSqliteRegistry } from '#server/store/sqlite-registry.js';
import { createSimulation } from '#simulators/simulation.js';
import { directBus } from '#tests/support/direct-bus.js';
import { risingNumber } from '#tests/support/test-post.js';
import { configOf, FLEET, scenarioOf, type WirePost } from './posts.js';
import { forgetfulStore } from './virtual-post.js';

const quiet = { info: () => {}, warn: () => {}, error: () => {} };

export interface Seen {
  readonly messages: number;
  /** TLS records with what is in them, both ways. */
  readonly modelTlsBytes: number;
  readonly kernelTlsBytes: number;
  /** With the heads of all segments, acknowledgements too. */
  readonly modelWireBytes: number;
  readonly kernelWireBytes: number;
}

interface Counted {
  messages: number;
  tls: number;
  wire: number;
}

/** Sends everything that the post measures twice a second for a while, each time receipted. */
export async function seeRealLink(post: WirePost, seconds: number): Promise<Seen> {
  const folder = mkdtempSync(join(tmpdir(), 'oftob-tls-'));
  const { ca, key, cert } = makeCertificate(folder);
  const broker = await startEmbeddedBroker({ fleet: FLEET, port: 0 });
  if (!broker.ok) throw new Error(broker.fault.message);
  // TLS ends here, as in front of any broker, and goes on in clear to the embedded one.
  const front = createServer({ noDelay: true }, (socket) => {
    const inner = new TLSSocket(socket, { isServer: true, key, cert });
    const onward = connect({ port: broker.value.port, host: '127.0.0.1', noDelay: true });
    inner.pipe(onward).pipe(inner);
    for (const end of [inner, onward]) end.on('error', () => end.destroy());
  });
  await new Promise<void>((resolve) => front.listen(0, '127.0.0.1', resolve));
  const { port } = front.address() as AddressInfo;
  const registry = createSqliteRegistry({ folder });
  if (!registry.ok) throw new Error(registry.fault.message);
  const ingest = createIngestService({
    fleet: FLEET,
    store: forgetfulStore,
    registry: registry.value,
    mqttUrl: broker.value.url,
    mqttOptions: broker.value.credentials,
    dataFolder: folder,
    clock: systemClock,
    scheduler: systemScheduler,
    log: quiet,
  });
  await ingest.start();
  const counted: Counted = { messages: 0, tls: 0, wire: 0 };
  const carrier = mqttCarrier({
    url: `mqtts://127.0.0.1:${port}`,
    fleet: FLEET,
    post: post.id,
    ca,
    epoch: '00112233445566aa',
  });
  const gateway = openGateway(post, folder, counting(carrier, counted));
  gateway.start();
  await pause(3000);
  Object.assign(counted, { messages: 0, tls: 0, wire: 0 });
  const before = kernelCounts(port);
  await pause(seconds * 1000);
  const after = kernelCounts(port);
  const result = { ...counted };
  await gateway.stop();
  await ingest.stop();
  front.close();
  await broker.value.close();
  registry.value.close();
  rmSync(folder, { recursive: true, force: true });
  const tls = after.bytes - before.bytes;
  return {
    messages: result.messages,
    modelTlsBytes: result.tls,
    kernelTlsBytes: tls,
    modelWireBytes: result.wire,
    kernelWireBytes: tls + (after.segments - before.segments) * SEGMENT_HEAD_BYTES,
  };
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => systemScheduler.after(ms, resolve));
}

function openGateway(post: WirePost, folder: string, openLink: OpenLink) {
  const { profiles: catalog } = loadCatalog();
  const text = configOf(post, { dataFolder: folder, full: true }).replaceAll('pollPeriodS: 10', 'pollPeriodS: 0.5');
  const config = parseGatewayConfig(`batchPeriodS: 0.5\n${text}`, catalog);
  if (!config.ok) throw new Error(JSON.stringify(config.fault));
  const world = createSimulation(scenarioOf(post), { startAt: systemClock.now(), catalog }).posts.get(post.id);
  const outbox = openSqliteOutbox({ file: join(folder, 'outbox.sqlite'), reserveBytes: 0 });
  if (world === undefined || !outbox.ok) throw new Error('no post');
  const buses = new Map([['main', directBus(world, 'main')]]);
  return createGateway({
    config: config.value,
    profiles: catalog,
    reader: createPostReader(config.value, { buses, catalog, clock: systemClock }),
    outbox: outbox.value,
    identity: { publicKey: 'k'.repeat(60), births: risingNumber(), connections: risingNumber() },
    openLink,
    clock: systemClock,
    scheduler: systemScheduler,
    random: systemRandom,
    log: quiet,
    version: '0.1.0',
    birthSpreadMs: 0,
  });
}

/** Prices each message that goes through a link. */
function counting(inner: OpenLink, counted: Counted): OpenLink {
  const price = (topic: string, payload: Uint8Array, qos: 0 | 1): void => {
    counted.messages += 1;
    counted.tls += tlsBytes(publishBytes(topic, payload.length, qos)) + (qos === 1 ? tlsBytes(PUBACK_BYTES) : 0);
    counted.wire += publishWireBytes(topic, payload.length, qos);
  };
  return (options) => {
    const { message } = options.handlers;
    const link = inner({
      ...options,
      handlers: {
        ...options.handlers,
        message: (topic, payload, retained) => {
          price(topic, payload, 0);
          message(topic, payload, retained);
        },
      },
    });
    const publish = link.publish.bind(link);
    link.publish = (topic, payload, how) => {
      const sent = publish(topic, payload, how);
      if (sent) price(topic, payload, how.qos);
      return sent;
    };
    return link;
  };
}

/** What the kernel has counted at the server's end of the connection: bytes and segments, both ways. */
function kernelCounts(port: number): { readonly bytes: number; readonly segments: number } {
  const text = execFileSync('ss', ['-tinH', 'state', 'established', `sport = :${port}`], { encoding: 'utf8' });
  const count = (name: string): number => Number(new RegExp(`\\b${name}:(\\d+)`).exec(text)?.[1] ?? Number.NaN);
  return { bytes: count('bytes_acked') + count('bytes_received'), segments: count('segs_out') + count('segs_in') };
}

function makeCertificate(folder: string): { readonly ca: string; readonly key: Buffer; readonly cert: Buffer } {
  const [keyFile, certFile] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
  const request = 'req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost';
  const names = ['-addext', 'subjectAltName=IP:127.0.0.1', '-keyout', keyFile, '-out', certFile];
  execFileSync('openssl', [...request.split(' '), ...names], { stdio: 'ignore' });
  return { ca: readFileSync(certFile, 'utf8'), key: readFileSync(keyFile), cert: readFileSync(certFile) };
}
