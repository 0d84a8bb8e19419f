import { randomBytes } from 'node:crypto';
import { type ChannelListener, subscribe } from 'node:diagnostics_channel';
import type { Agent } from 'node:https';
import type { Server } from 'node:tls';
import { WeakCollection } from './weak-collection.ts';

/** How many bytes the keys for session tickets have. */
const TICKET_KEYS = 48;

/** The part of an https.Agent that keeps TLS sessions. */
interface SessionCache {
  readonly _sessionCache?: { list?: string[]; map?: Record<string, unknown> };
}

/** The TLS servers that listen or have listened. */
export class TlsServers {
  readonly #servers = new WeakCollection<Server>();
  #isCopy = false;

  constructor() {
    const onListen = ({ server }: { server: object }) => {
      if (!isTlsServer(server)) return;
      this.#servers.add(server);
      // It may have been created before the checkpoint.
      if (this.#isCopy) renew(server);
    };
    subscribe('tracing:net.server.listen:asyncStart', onListen as ChannelListener);
  }

  /** Replaces the keys for session tickets, except keys that the program has given. */
  renewTicketKeys(): void {
    this.#isCopy = true;
    for (const server of this.#servers.all()) renew(server);
  }
}

const isTlsServer = (server: object): server is Server => 'setTicketKeys' in server;

function renew(server: Server): void {
  if ('ticketKeys' in server && server.ticketKeys) return;
  server.setTicketKeys(randomBytes(TICKET_KEYS));
}

/** Drops the TLS sessions of an agent, which more than one copy would resume otherwise. */
export function dropSessions(agent: Agent): void {
  const cache = (agent as SessionCache)._sessionCache;
  if (!cache?.list || !cache.map) return;
  cache.list.length = 0;
  cache.map = {};
}
