import type { FastifyInstance } from 'fastify';
import type { AppDeps } from './deps.js';

/** `GET /live` (websocket): the live channel of `contract/live.ts`. */
export async function liveRoutes(app: FastifyInstance, deps: AppDeps): Promise<void> {
  app.get('/live', { websocket: true, schema: { hide: true } }, (socket) => {
    const connection = deps.hub.connect(socket);
    if (connection === undefined) return;
    // Attached before anything is awaited: a message that comes earlier would be lost.
    socket.on('message', (data: Buffer) => connection.receive(data));
    socket.on('pong', () => connection.alive());
    socket.on('close', () => connection.closed());
    socket.on('error', () => connection.closed());
  });
}
