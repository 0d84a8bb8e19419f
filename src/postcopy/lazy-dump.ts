import type { Socket } from 'node:net';
import { Cancellation } from '../concurrency/cancellation.ts';
import { deferred } from '../concurrency/deferred.ts';
import type { RateLimit } from '../concurrency/rate-limit.ts';
import { CriuError } from '../errors.ts';
import type { Client } from '../operations/client.ts';
import { type DumpResult, dump, type RoundContext, type ServeCommand } from '../operations/dump.ts';
import type { FrozenTimePrediction } from '../operations/pre-copied.ts';
import { requireSupport } from '../operations/probe.ts';
import { checkOptions, checkValue } from '../options/check.ts';
import { assertNoDirectories } from '../options/config-file.ts';
import { type Hooks, overrideHooks } from '../options/hooks.ts';
import { directoryPath, pid as positiveInteger } from '../options/kinds.ts';
import { operationOptions } from '../options/operation-options.ts';
import { assertEncrypted } from '../options/reach.ts';
import { tlsMaterialOrNone } from '../options/tls.ts';
import { translate, withDefaults } from '../options/translate.ts';
import type { TlsOptions } from '../options/types.ts';
import { requireLargePipes } from '../preflight/pipes.ts';
import { locate } from '../worker/endpoint.ts';
import {
  assertNoOwnedOptions,
  type Endpoint,
  endpointOf,
  type LazyDumpOptions,
  lazyDumpOptions,
  withLazyDumpDefaults,
} from './lazy-dump-options.ts';
import { LazyPageServer } from './lazy-page-server.ts';
import { LazySource } from './lazy-source.ts';
import { PageLedger } from './page-ledger.ts';
import { SERVING_FD, ServingConnection } from './serving-connection.ts';
import { StoppedTree } from './stopped-tree.ts';

/** The first CRIU that reports when it is ready to serve pages. */
export const FIRST_LAZY_DUMP = 31500;

/** What an iteration or a migration passes to a lazy dump that is part of it. */
export interface LazyDumpContext {
  /** The name of the operation in error messages. Default `lazyDump`. */
  readonly operation?: string;
  /** The round of an iteration that this dump is. */
  readonly round?: RoundContext;
  /** The connection that the criu of the iteration has inherited to serve on. */
  readonly connection?: ServingConnection;
  /** What the rounds before predicted for this dump. */
  readonly predicted?: FrozenTimePrediction | undefined;
  /** The connection of the destination. Without it the source listens for one. */
  readonly peer?: Socket | undefined;
  /** True if the original must stay stopped even if criu fails: the migration decides. */
  readonly mustStayStopped?: () => boolean;
  /** Limits the bytes that go to `peer`. */
  readonly rateLimit?: RateLimit | undefined;
}

/**
 * Freezes a process tree, writes its images without most of the memory, and resolves when the source
 * is ready to serve that memory. Source: RPC request DUMP with `lazy_pages`, CRIU 3.15.
 */
export async function lazyDump(
  given: Client,
  pid: number,
  options: LazyDumpOptions,
  context: LazyDumpContext = {},
): Promise<LazySource> {
  const { operation = 'lazyDump' } = context;
  const client = withLazyDumpDefaults(given);
  const { endpoint, tls } = await check(client, pid, options, context);
  const stoppedBefore = StoppedTree.stoppedIn(pid);
  const { connection = new ServingConnection() } = context;
  try {
    const server = context.peer
      ? LazyPageServer.over(connection.takeLocalFd(operation), context.peer, context.rateLimit)
      : await LazyPageServer.listen(
          operation,
          () => connection.takeLocalFd(operation),
          endpoint,
          tls,
        );
    try {
      return await start({ client, pid, options, context, server, connection, stoppedBefore });
    } catch (error) {
      await server[Symbol.asyncDispose]();
      throw error;
    }
  } finally {
    // By now criu has inherited its end, or has failed to start.
    if (!context.connection) connection.close();
  }
}

/** Checks the options and this host: everything that can be refused before anything is frozen. */
async function check(
  client: Client,
  pid: number,
  options: LazyDumpOptions,
  { operation = 'lazyDump', peer }: LazyDumpContext,
): Promise<{ endpoint: Endpoint; tls: TlsOptions | undefined }> {
  const { pageServer, confirm, ...given } = options;
  const { signal, deadlineMs, gracePeriodMs, insecure, force, hooks, ...own } = given;
  checkValue(operation, 'pid', positiveInteger, pid);
  checkOptions(
    operation,
    { hooks, signal, deadlineMs, gracePeriodMs, pageServer, confirm, force },
    { ...operationOptions, ...lazyDumpOptions },
  );
  using limits = new Cancellation(operation, { signal, deadlineMs, gracePeriodMs });
  assertNoOwnedOptions(operation, given);
  const endpoint = endpointOf(options);
  const { tls, ...forCriu } = withDefaults('dump', own, client.defaults);
  if (tls !== undefined) checkValue(operation, 'tls', tlsMaterialOrNone, tls);
  const { newest, wire } = translate('dump', { ...forCriu, lazyPages: true }, operation);
  if (!peer) assertEncrypted(operation, endpoint.address, tls, insecure);
  await assertNoDirectories(operation, 'configFile', forCriu.configFile);
  limits.throwIfRequested();
  const binary = await locate(operation, client);
  const needs = {
    since: FIRST_LAZY_DUMP,
    newest,
    memTrack: wire.track_mem === true,
    lazyPages: true,
  };
  await requireSupport(operation, binary, needs, limits);
  await requireLargePipes(operation);
  return { endpoint, tls: tls || undefined };
}

/** Does the dump; resolves when criu is ready to serve pages. */
async function start(parts: {
  client: Client;
  pid: number;
  options: LazyDumpOptions;
  context: LazyDumpContext;
  server: LazyPageServer;
  connection: ServingConnection;
  stoppedBefore: ReadonlySet<number>;
}): Promise<LazySource> {
  const { client, pid, options, context, server, connection, stoppedBefore } = parts;
  const { operation = 'lazyDump', round, predicted, mustStayStopped } = context;
  const { pageServer, confirm, hooks: own, ...given } = options;
  const imagesDirectory = directoryPath(given.imagesDirectory ?? client.defaults.imagesDirectory);
  return await new Promise<LazySource>((resolve, reject) => {
    let source: LazySource | undefined;
    const forceKill = deferred<void>();
    let frozenAt = performance.now();
    const onNotify: Hooks['onNotify'] = (notification) => {
      if (notification.script === 'query-ext-files') frozenAt = performance.now();
      return own?.onNotify?.(notification);
    };
    const statusReady = async () => {
      const frozenTimeMs = performance.now() - frozenAt;
      await own?.statusReady?.();
      const ledger = await PageLedger.of(imagesDirectory);
      const tree = StoppedTree.stop(pid, stoppedBefore);
      source = new LazySource({
        ...{ operation, pid, imagesDirectory, server, ledger, tree, dumping, confirm },
        kill: forceKill.resolve,
        limits: given,
        preCopy: predicted && { ...predicted, frozenTimeMs },
        mustStayStopped: mustStayStopped ?? (() => false),
      });
      resolve(source);
    };
    const serving: ServeCommand = {
      // The criu of an iteration has inherited the descriptors already.
      inherited: context.connection ? [] : connection.inherited,
      socket: SERVING_FD,
      forceKill: forceKill.promise,
      failed: async () => source?.criuFailed(),
    };
    // The page server speaks TLS with the destination; its connection to criu is a local one.
    const forDump = {
      ...given,
      hooks: overrideHooks(own, { onNotify, statusReady }),
      lazyPages: true,
      tls: false as const,
    };
    const dumping: Promise<DumpResult> = dump(client, 'dump', pid, forDump, round, serving);
    const message = `${operation}: criu ended without serving any pages`;
    const ended = () => new CriuError('ERR_CRIU_PROTOCOL', message, { operation, pid });
    dumping.then(() => reject(ended()), reject);
  });
}
