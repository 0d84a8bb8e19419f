import { join, resolve } from 'node:path';
import { Cancellation } from '../concurrency/cancellation.ts';
import { invalid } from '../errors.ts';
import { LogFile } from '../failure/log.ts';
import { lazyPagesIn } from '../images/lazy-stats.ts';
import { native } from '../native/index.ts';
import { formatEndpoint } from '../netlink/ip-address.ts';
import type { Client } from '../operations/client.ts';
import { openDirectory } from '../operations/directories.ts';
import { requireSupport } from '../operations/probe.ts';
import { checkOptions } from '../options/check.ts';
import { operationOptions } from '../options/operation-options.ts';
import { makeBlocking } from '../options/page-connection.ts';
import { assertEncrypted } from '../options/reach.ts';
import { translate, withDefaults } from '../options/translate.ts';
import type { DirectoryLike } from '../options/types.ts';
import { CriuChild } from '../worker/child.ts';
import { type Endpoint, locate } from '../worker/endpoint.ts';
import { startFailure } from '../worker/worker-session.ts';
import { LazyPages, type LazyPagesOptions } from './lazy-pages.ts';
import {
  DEFAULT_LOG_NAME,
  KEEP_ALIVE_FD,
  lazyPagesArguments,
  SOCKET_NAME,
  STATUS_FD,
} from './lazy-pages-command.ts';

/** The first CRIU with lazy pages. */
const SINCE = 30500;

/** What a lazy restore adds to the options of its daemon. */
export interface LazyPagesContext {
  /** The name of the operation in error messages. Default `lazyPages`. */
  readonly operation?: string;
  /** Cancels the start as well. */
  readonly outer?: Cancellation;
  /**
   * The local end of the connection from which the daemon gets the pages. The daemon inherits it: the
   * connection then outlives this process, and the restored processes wait for their pages.
   */
  readonly keepAliveFd?: number | undefined;
}

/** The directories of a daemon, as they are given. */
export interface DaemonDirectories {
  readonly imagesDirectory?: DirectoryLike | undefined;
  /** Where the restore looks for the daemon. Default: the images directory. */
  readonly workDirectory?: DirectoryLike | undefined;
}

/** Where a daemon works, with absolute paths of the directories. */
export interface DaemonPlace {
  readonly binary: Endpoint;
  readonly images: string;
  readonly work: string;
}

/**
 * Finds criu and the directories for a daemon.
 * @param newest see {@link requireSupport}
 * @throws CriuError if they cannot be used, or criu or the kernel has no lazy pages
 */
export async function findDaemonPlace(
  operation: string,
  client: Client,
  { imagesDirectory, workDirectory }: DaemonDirectories,
  newest: Parameters<typeof requireSupport>[2]['newest'],
  cancellation: Cancellation,
): Promise<DaemonPlace> {
  const binary = await locate(operation, client);
  await using images = await openDirectory(operation, 'imagesDirectory', imagesDirectory, false);
  await using work = await openDirectory(operation, 'workDirectory', workDirectory, true);
  if (!images) throw invalid(operation, 'imagesDirectory', 'a directory', imagesDirectory);
  const needs = { since: SINCE, newest, memTrack: false, lazyPages: true };
  await requireSupport(operation, binary, needs, cancellation);
  return { binary, images: resolve(images.path), work: resolve((work ?? images).path) };
}

/** Starts a lazy-pages daemon; resolves once its process runs. */
export async function startLazyPages(
  client: Client,
  given: LazyPagesOptions,
  { operation = 'lazyPages', outer, keepAliveFd }: LazyPagesContext = {},
): Promise<LazyPages> {
  const start = performance.now();
  const { signal, deadlineMs, insecure, ...own } = given;
  const limits = { signal, deadlineMs, gracePeriodMs: outer?.graceMs };
  checkOptions(operation, limits, operationOptions);
  using cancellation = new Cancellation(operation, limits, outer);
  const options = withDefaults('lazyPages', own, client.defaults);
  const { wire, inherited, newest } = translate('lazyPages', options, operation);
  assertEncrypted(operation, wire.ps?.address ?? undefined, options.tls, insecure);
  const place = await findDaemonPlace(operation, client, options, newest, cancellation);
  const { binary, images, work } = place;
  makeBlocking(operation, inherited.find(([number]) => number === wire.ps?.fd)?.[1]);
  const pages = await lazyPagesIn(operation, images);
  const log = await LogFile.at(join(work, options.logFile ?? DEFAULT_LOG_NAME));
  cancellation.throwIfRequested();
  const [statusFd, daemonStatusFd] = native().pipe();
  try {
    const child = await CriuChild.start({
      path: binary.path,
      args: lazyPagesArguments({ wire, options, images, work }),
      inherited: [
        ...inherited,
        [STATUS_FD, daemonStatusFd],
        ...(keepAliveFd === undefined ? [] : [[KEEP_ALIVE_FD, keepAliveFd] as const]),
      ],
    });
    return new LazyPages({
      child,
      statusFd,
      socketPath: join(work, SOCKET_NAME),
      log,
      pages,
      start,
      server:
        wire.ps?.address && formatEndpoint({ host: wire.ps.address, port: wire.ps.port ?? 0 }),
      limits: { signal, deadlineMs },
    });
  } catch (error) {
    native().close(statusFd);
    throw startFailure(operation, binary, error);
  } finally {
    native().close(daemonStatusFd);
  }
}
