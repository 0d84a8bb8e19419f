import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { builtins } from '../../builtins.ts';
import { CriuError, invalid, systemFailure } from '../../errors.ts';
import { readServerCertificate } from '../../options/tls.ts';
import { Access } from './access.ts';
import { readAssets } from './assets.ts';
import {
  type DashboardOptions,
  type ResolvedDashboardOptions,
  resolveDashboardOptions,
} from './dashboard-options.ts';
import { Feed } from './feed.ts';
import { QueueBoard } from './queue-board.ts';
import { Router } from './router.ts';
import type { DashboardSource } from './source.ts';

const OPERATION = 'serveDashboard';
const MAX_CONNECTIONS = 512;
const REQUEST_MS = 10_000;

/** A page about a fleet that is being served. */
export interface Dashboard {
  /** The URL for a browser. Its fragment has the token, which the page exchanges for a cookie. */
  readonly url: string;
  /** The address that it listens on. */
  readonly host: string;
  /** The port that it listens on. */
  readonly port: number;
  /** What a reader must show, as `Authorization: Bearer TOKEN`. */
  readonly token: string;
  /** Stops serving, and ends all connections. Idempotent. */
  close(): Promise<void>;
  /** The same as `close()`. */
  [Symbol.asyncDispose](): Promise<void>;
}

/**
 * Serves a page for browsers about a fleet, which is kept up to date: hosts, workloads, moves, plans and history. It
 * shows, and changes nothing. `/metrics` has the metrics of the fleet for Prometheus, and `/queues` bull-board, if the
 * packages `@bull-board/api` and `@bull-board/ui` are installed and the fleet gives its queues. Everything but the empty
 * page needs the token. The fleet is asked only while somebody reads.
 * @param source the fleet
 * @throws CriuError ERR_CRIU_INVALID_ARGUMENT, also for an address that others can reach, without `tls` or `insecure`;
 *   ERR_CRIU_SYSTEM if it cannot listen there
 */
export async function serveDashboard(
  source: DashboardSource,
  options: DashboardOptions = {},
): Promise<Dashboard> {
  if (typeof source?.view !== 'function' || typeof source.operations !== 'function') {
    throw invalid(OPERATION, 'source', 'a fleet', source);
  }
  const resolved = resolveDashboardOptions(OPERATION, options);
  const { host, port, token, tls, names, intervalMs } = resolved;
  const certificate = tls && (await readServerCertificate(OPERATION, tls));
  const [assets, board] = await Promise.all([readAssets(), QueueBoard.create(source)]);
  const access = new Access(token, [host, ...names], tls !== undefined);
  const limits = { headersTimeout: REQUEST_MS, requestTimeout: REQUEST_MS };
  const server = certificate
    ? builtins.https.createServer({ ...limits, ...certificate, minVersion: 'TLSv1.2' })
    : builtins.http.createServer(limits);
  server.maxConnections = MAX_CONNECTIONS;
  await listen(server, host, port);
  const feed = new Feed(source, intervalMs);
  const router = new Router({ source, access, assets, feed, board });
  server.on('request', (request, response) => void router.answer(request, response));
  return new RunningDashboard(server, feed, resolved);
}

class RunningDashboard implements Dashboard {
  readonly host: string;
  readonly port: number;
  readonly token: string;
  readonly url: string;
  readonly #server: Server;
  readonly #feed: Feed;
  #closed: Promise<void> | undefined;

  constructor(server: Server, feed: Feed, { host, token, tls }: ResolvedDashboardOptions) {
    this.#server = server;
    this.#feed = feed;
    this.host = host;
    this.port = (server.address() as AddressInfo).port;
    this.token = token;
    const name = host.includes(':') ? `[${host}]` : host;
    this.url = `${tls ? 'https' : 'http'}://${name}:${this.port}/#token=${token}`;
  }

  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    this.#feed.close();
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.#server.closeAllConnections();
    await closed;
  }
}

async function listen(server: Server, host: string, port: number): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(port, host, resolve);
  }).catch((cause: Error) => {
    const message = `${OPERATION}: cannot listen at ${host}: ${cause.message}`;
    throw (
      systemFailure(OPERATION, cause) ??
      new CriuError('ERR_CRIU_SYSTEM', message, { operation: OPERATION, cause })
    );
  });
  // accept() may fail for want of descriptors; the server goes on.
  server.on('error', () => {});
}
