import type { Server } from '@grpc/grpc-js';
import { deferred } from '../../concurrency/deferred.ts';
import { CriuError } from '../../errors.ts';
import { OrphanReaper } from '../../process/orphan-reaper.ts';
import { makePrivateDirectory, requirePrivate } from '../../process/private-directory.ts';
import { incomingJournals } from '../journal/incoming-journal.ts';
import { pruneJournals } from '../journal/journal.ts';
import { readCredentials } from '../protocol/credentials.ts';
import type { MigrationClient } from '../protocol/criu-operations.ts';
import { PageListener } from '../protocol/page-listener.ts';
import { PendingConnections } from '../protocol/pending-connections.ts';
import { RenewedCredentials } from '../protocol/renewed-credentials.ts';
import { channelOptions, loadService, serverCredentials } from '../protocol/service.ts';
import { DEFAULT_STALL_MS } from '../protocol/stall-limit.ts';
import { ControlPort } from './control-port.ts';
import { OfferReceiver } from './offer-receiver.ts';
import { recoverAll } from './recover.ts';
import { MigrationRegistry } from './registry.ts';
import {
  checkServeOptions,
  type IncomingMigration,
  SERVE,
  type ServeMigrationsOptions,
} from './serve-options.ts';
import type { ServerContext } from './server-context.ts';
import { MigrationService } from './service.ts';

/** A server that receives migrations. Copies that run are not affected when it closes. */
export interface MigrationServer extends AsyncDisposable {
  /** The address that it listens on. */
  readonly host: string;
  /** The port of the control connections. */
  readonly port: number;
  /** The port of the connections for pages. */
  readonly pagePort: number;
  /** The open migrations since the server was started, and the last 100 that have ended. */
  readonly migrations: readonly IncomingMigration[];
  /** Resolves once the server has closed. */
  readonly closed: Promise<void>;
  /**
   * Refuses new migrations, and aborts those whose copy does not run yet. Serves copies that run until
   * they have all of their memory; they run on. Waits at most six times `stallMs` for a hook to return;
   * after that, a process warning names the migration. Idempotent; resolves when the server has closed.
   */
  close(): Promise<void>;
}

/** How often journals that have expired are removed, in milliseconds. */
const PRUNE_MS = 60 * 60 * 1000;
/** How long sources may take to receive the last answers, in milliseconds. */
const LAST_ANSWERS_MS = 2000;

/** Starts a migration server: see `criu.serveMigrations()`. */
export async function startMigrationServer(
  given: ServeMigrationsOptions,
  { client, operations }: MigrationClient,
): Promise<MigrationServer> {
  const options = checkServeOptions(given, client.defaults);
  const { listen, directory, holdMs = 30_000, stallMs = DEFAULT_STALL_MS, hooks = {} } = options;
  const credentials = await readCredentials(SERVE, listen.host, options.tls, options.insecure);
  await makePrivateDirectory(directory, true);
  await requirePrivate(SERVE, directory);
  await recoverAll(directory, hooks, stallMs);
  const service = await loadService();
  const renewed = options.tls && new RenewedCredentials(SERVE, options.tls);
  const pageListener = await PageListener.listen(listen.host, listen.pagePort ?? 0, credentials, {
    renewed,
  }).catch((error: Error) => {
    throw cannotListen(listen.host, error);
  });
  const context: ServerContext = {
    ...{ operations, directory, pageListener, holdMs, stallMs, hooks },
    client: { ...client, defaults: {} },
  };
  const registry = new MigrationRegistry();
  const pending = new PendingConnections();
  const offers = new OfferReceiver(context, options, client.defaults, registry);
  const { handlers } = new MigrationService(context, offers, registry, pending);
  const server = new service.grpc.Server(channelOptions(stallMs));
  server.addService(service.Migrations.service, handlers as never);
  try {
    const tls = serverCredentials(service, credentials, renewed);
    const controlPort = await ControlPort.listen(server, tls, listen, { pending, renewed });
    const prune = () => void pruneJournals(incomingJournals(directory)).catch(() => {});
    const pruning = setInterval(prune, PRUNE_MS).unref();
    return new RunningServer(listen.host, {
      pruning,
      server,
      controlPort,
      pageListener,
      offers,
      registry,
    });
  } catch (error) {
    await pageListener[Symbol.asyncDispose]();
    throw cannotListen(listen.host, error as Error);
  }
}

class RunningServer implements MigrationServer {
  readonly host: string;
  readonly port: number;
  readonly pagePort: number;
  readonly #closed = deferred<void>();
  readonly #pruning: NodeJS.Timeout;
  readonly #server: Server;
  readonly #controlPort: ControlPort;
  readonly #pageListener: PageListener;
  readonly #offers: OfferReceiver;
  readonly #registry: MigrationRegistry;
  readonly #orphanReaper = new OrphanReaper();
  #closing: Promise<void> | undefined;

  constructor(
    host: string,
    parts: {
      readonly pruning: NodeJS.Timeout;
      readonly server: Server;
      readonly controlPort: ControlPort;
      readonly pageListener: PageListener;
      readonly offers: OfferReceiver;
      readonly registry: MigrationRegistry;
    },
  ) {
    this.host = host;
    this.port = parts.controlPort.port;
    this.pagePort = parts.pageListener.port;
    this.#pruning = parts.pruning;
    this.#server = parts.server;
    this.#controlPort = parts.controlPort;
    this.#pageListener = parts.pageListener;
    this.#offers = parts.offers;
    this.#registry = parts.registry;
  }

  get closed(): Promise<void> {
    return this.#closed.promise;
  }

  get migrations(): IncomingMigration[] {
    return this.#registry.migrations;
  }

  async close(): Promise<void> {
    this.#closing ??= this.#close();
    await this.#closing;
  }

  async #close(): Promise<void> {
    clearInterval(this.#pruning);
    await this.#offers.close();
    await Promise.allSettled(this.#registry.all.map((incoming) => incoming.close()));
    this.#controlPort.close();
    await shutDown(this.#server);
    await this.#pageListener[Symbol.asyncDispose]().catch(() => {});
    this.#orphanReaper[Symbol.dispose]();
    this.#closed.resolve();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

/** Waits until sources have received the last answers, and then ends their connections. */
async function shutDown(server: Server): Promise<void> {
  const timer = setTimeout(() => server.forceShutdown(), LAST_ANSWERS_MS);
  await new Promise<void>((resolve) => server.tryShutdown(() => resolve()));
  clearTimeout(timer);
}

function cannotListen(host: string, cause: Error): CriuError {
  const message = `${SERVE}: cannot listen at ${host}: ${cause.message}`;
  return new CriuError('ERR_CRIU_SYSTEM', message, { operation: SERVE, cause });
}
