// Who may speak to this server while it has no access control: programs on this machine, and pages that it served itself.
import type { FastifyInstance } from 'fastify';
import { isLoopbackAddress } from '../loopback.js';
import type { AppDeps } from './deps.js';
import { Problem } from './problem.js';

/** True for a Host, as a URL spells it, that only this machine can reach. */
export function isLoopbackHost(host: string): boolean {
  return host === '[::1]' || isLoopbackAddress(host);
}

/** `undefined` where the text is no host with an optional port. */
function hostOf(text: string | undefined): URL | undefined {
  if (text === undefined || !/^[\w.:[\]-]+$/.test(text)) return undefined;
  return URL.canParse(`http://${text}`) ? new URL(`http://${text}`) : undefined;
}

/**
 * Refuses a Host that is not loopback on every request (a foreign name that resolves to 127.0.0.1 would otherwise let any
 * web page read the fleet), and an Origin other than our own on everything that a page can send without asking: websockets and writes.
 */
export function keepDoor(app: FastifyInstance, deps: Pick<AppDeps, 'count'>): void {
  app.addHook('onRequest', async (request) => {
    const host = hostOf(request.headers.host);
    if (host === undefined || !isLoopbackHost(host.hostname)) {
      deps.count('apiHostsRefused');
      throw new Problem(421, 'API_HOST', 'this server answers on loopback names only; open it as http://localhost');
    }
    const { origin } = request.headers;
    if (origin === undefined || (request.method === 'GET' && request.headers.upgrade === undefined)) return;
    if (origin !== `http://${request.headers.host}` && origin !== `https://${request.headers.host}`) {
      deps.count('apiOriginsRefused');
      throw new Problem(403, 'API_ORIGIN', 'this request comes from a page of another site');
    }
  });
}
