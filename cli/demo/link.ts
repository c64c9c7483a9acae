// The way from a simulated post to the broker: a relay that can be cut, as a mast in the snow is.
import { connect, createServer, type Socket } from 'node:net';

export interface DemoLink {
  /** What the gateway connects to in place of the broker. */
  readonly mqttUrl: string;
  /** Cuts what is open, and lets nothing through until it is mended. */
  setDown(down: boolean): void;
  close(): Promise<void>;
}

const MQTT_PORT = 1883;

/**
 * Opens a relay on a free loopback port. Rejects when none can be bound. A broker behind TLS is connected to as it is: its
 * certificate would not hold for a relay, and the link cannot be cut then.
 */
export async function openLink(brokerUrl: string): Promise<DemoLink> {
  const { hostname, port, protocol } = new URL(brokerUrl);
  if (protocol !== 'mqtt:') return { mqttUrl: brokerUrl, setDown: () => undefined, close: async () => undefined };
  const sockets = new Set<Socket>();
  let isDown = false;
  const keep = (socket: Socket): void => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  };
  const server = createServer((near) => {
    if (isDown) {
      near.destroy();
      return;
    }
    const far = connect(Number(port || MQTT_PORT), hostname.replace(/^\[|\]$/g, ''));
    keep(near);
    keep(far);
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      one.pipe(other);
      one.on('error', () => other.destroy());
      one.on('close', () => other.destroy());
    }
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => resolve());
  });
  const address = server.address();
  const bound = typeof address === 'object' && address !== null ? address.port : 0;
  const cut = (): void => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    mqttUrl: `mqtt://127.0.0.1:${bound}`,
    setDown(down) {
      isDown = down;
      if (down) cut();
    },
    close: () =>
      new Promise((resolve) => {
        cut();
        server.close(() => resolve());
      }),
  };
}
