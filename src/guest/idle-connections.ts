import { type ChannelListener, subscribe } from 'node:diagnostics_channel';
import { once } from 'node:events';
import type { Agent, ClientRequest, Server } from 'node:http';
import type { Agent as HttpsAgent } from 'node:https';
import type { Socket } from 'node:net';
import { dropSessions } from './tls-state.ts';
import { WeakCollection } from './weak-collection.ts';

/**
 * The connections that http, https, fetch and undici keep for later, and those that HTTP servers keep for their
 * clients. They are known by Node's diagnostics channels.
 */
export class IdleConnections {
  readonly #agents = new WeakCollection<Agent>();
  readonly #servers = new WeakCollection<Server>();
  /** The connections of fetch and undici, with the requests on each. */
  readonly #undici = new Map<Socket, Set<object>>();
  /** The connection of a request of undici. */
  readonly #socketOf = new WeakMap<object, Socket>();

  constructor() {
    const on = <T>(name: string, listener: (message: T) => void) =>
      subscribe(name, listener as ChannelListener);
    on<{ request: ClientRequest & { agent?: Agent } }>(
      'http.client.request.start',
      ({ request }) => {
        if (request.agent) this.#agents.add(request.agent);
      },
    );
    on<{ server: Server }>('http.server.request.start', ({ server }) => this.#servers.add(server));
    on<{ socket: Socket }>('undici:client:connected', ({ socket }) => this.#requestsOf(socket));
    on<{ request: object; socket: Socket }>('undici:client:sendHeaders', ({ request, socket }) => {
      this.#socketOf.set(request, socket);
      this.#requestsOf(socket).add(request);
    });
    for (const end of ['undici:request:trailers', 'undici:request:error']) {
      on<{ request: object }>(end, ({ request }) => {
        const socket = this.#socketOf.get(request);
        if (socket) this.#undici.get(socket)?.delete(request);
      });
    }
  }

  /** Closes them, and resolves when they are closed. */
  async close(): Promise<void> {
    for (const server of this.#servers.all()) server.closeIdleConnections();
    const free = this.#agents.all().flatMap((agent) => Object.values(agent.freeSockets).flat());
    const idle = [...this.#undici].filter(([, requests]) => requests.size === 0);
    const sockets = [...free, ...idle.map(([socket]) => socket)];
    await Promise.all(
      sockets.map(async (socket) => {
        if (!socket || socket.closed) return;
        const closed = once(socket, 'close').catch(() => {});
        socket.destroy();
        await closed;
      }),
    );
  }

  /** Drops the TLS sessions of the agents. */
  dropSessions(): void {
    for (const agent of this.#agents.all()) dropSessions(agent as HttpsAgent);
  }

  #requestsOf(socket: Socket): Set<object> {
    let requests = this.#undici.get(socket);
    if (!requests) {
      requests = new Set();
      this.#undici.set(socket, requests);
      socket.once('close', () => this.#undici.delete(socket));
    }
    return requests;
  }
}
