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
import { MonitoringPort } from './monitoring/monitoring-port.ts';
import { Readiness } from './monitoring/readiness.ts';
import { serverMetrics } from './monitoring/server-metrics.ts';
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
import { DEFAULT_MAX_MIGRATIONS } from './slots.ts';
import { Traffic } from './traffic.ts';

/** A server that receives migrations. Copies that run are not affected when it closes. */
export interface MigrationServer extends AsyncDisposable {
  /** The address that it listens on. */
  readonly host: string;
  /** The port of the control connections. */
  readonly port: number;
  /** The port of the connections for pages. */
  readonly pagePort: number;
  /** The port for monitoring; undefined without the option `metrics`. */
  readonly metricsPort: number | undefined;
  /** The open migrations since the server was started, and the last 100 that have ended. */
  readonly migrations: readonly IncomingMigration[];
  /** Resolves once the server has closed. */
  readonly closed: Promise<void>;
  /**
   * Refuses new migrations from now on, so that a scheduler chooses another host; those under way go on.
   * Idempotent.
   */
  drain(): void;
  /**
   * Refuses new migrations, and aborts those whose copy does not run yet. Serves copies that run until
   * they have all of their memory; they run on. Waits at most six times `stallMs` for a hook to return;
   * after that, a process warning names the migration. Idempotent; resolves when the server has closed.
   */
  close(): Promise<void>;
}

/** Where monitoring is answered unless the user says otherwise. */
const LOOPBACK = '127.0.0.1';
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
    traffic: new Traffic(options.maxBandwidth, options.maxStoredBytes),
    client: { ...client, defaults: {} },
  };
  const registry = new MigrationRegistry();
  const pending = new PendingConnections();
  const offers = new OfferReceiver(context, options, client.defaults, registry);
  const { handlers } = new MigrationService(context, offers, registry, pending);
  const server = new service.grpc.Server(channelOptions(stallMs));
  server.addService(service.Migrations.service, handlers as never);
  let monitoring: MonitoringPort | undefined;
  try {
    monitoring = await listenForMonitoring(options, { context, registry, offers });
    const tls = serverCredentials(service, credentials, renewed);
    const controlPort = await ControlPort.listen(server, tls, listen, { pending, renewed });
    const prune = () => void pruneJournals(incomingJournals(directory)).catch(() => {});
    const pruning = setInterval(prune, PRUNE_MS).unref();
    const ports = { controlPort, pageListener, monitoring };
    return new RunningServer(listen.host, { pruning, server, ...ports, offers, registry });
  } catch (error) {
    monitoring?.close();
    await pageListener[Symbol.asyncDispose]();
    throw error instanceof CriuError ? error : cannotListen(listen.host, error as Error);
  }
}

interface Monitored {
  readonly context: ServerContext;
  readonly registry: MigrationRegistry;
  readonly offers: OfferReceiver;
}

async function listenForMonitoring(
  { metrics, maxMigrations = DEFAULT_MAX_MIGRATIONS }: ServeMigrationsOptions,
  { context, registry, offers }: Monitored,
): Promise<MonitoringPort | undefined> {
  if (!metrics) return undefined;
  const { directory, client, traffic } = context;
  const readiness = new Readiness({ directory, client, isDraining: () => offers.isClosed });
  const { host = LOOPBACK, port } = metrics;
  return await MonitoringPort.listen(host, port, {
    obstacles: () => readiness.obstacles(),
    metrics: (isReady) =>
      serverMetrics({ registry, offers: offers.tally, traffic, maxMigrations, isReady }),
  }).catch((error: Error) => {
    throw cannotListen(host, error);
  });
}

interface ServerParts {
  readonly pruning: NodeJS.Timeout;
  readonly server: Server;
  readonly controlPort: ControlPort;
  readonly pageListener: PageListener;
  readonly monitoring: MonitoringPort | undefined;
  readonly offers: OfferReceiver;
  readonly registry: MigrationRegistry;
}

class RunningServer implements MigrationServer {
  readonly host: string;
  readonly port: number;
  readonly pagePort: number;
  readonly metricsPort: number | undefined;
  readonly #parts: ServerParts;
  readonly #closed = deferred<void>();
  readonly #orphanReaper = new OrphanReaper();
  #closing: Promise<void> | undefined;

  constructor(host: string, parts: ServerParts) {
    this.host = host;
    this.port = parts.controlPort.port;
    this.pagePort = parts.pageListener.port;
    this.metricsPort = parts.monitoring?.port;
    this.#parts = parts;
  }

  get closed(): Promise<void> {
    return this.#closed.promise;
  }

  get migrations(): IncomingMigration[] {
    return this.#parts.registry.migrations;
  }

  drain(): void {
    void this.#parts.offers.close();
  }

  async close(): Promise<void> {
    this.#closing ??= this.#close();
    await this.#closing;
  }

  async #close(): Promise<void> {
    const { pruning, server, controlPort, pageListener, monitoring, offers, registry } =
      this.#parts;
    clearInterval(pruning);
    await offers.close();
    await Promise.allSettled(registry.all.map((incoming) => incoming.close()));
    controlPort.close();
    await shutDown(server);
    await pageListener[Symbol.asyncDispose]().catch(() => {});
    monitoring?.close();
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
