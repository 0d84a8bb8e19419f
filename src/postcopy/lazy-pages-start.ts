import { join, resolve } from 'node:path';
import { Cancellation } from '../concurrency/cancellation.ts';
import { spawnSlot } from '../concurrency/spawn-slot.ts';
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
import { CriuChild } from '../worker/child.ts';
import { locate } from '../worker/endpoint.ts';
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
export const LAZY_PAGES_SINCE = 30500;

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
  const binary = await locate(operation, client);
  const { imagesDirectory, workDirectory } = options;
  await using images = await openDirectory(operation, 'imagesDirectory', imagesDirectory, false);
  await using work = await openDirectory(operation, 'workDirectory', workDirectory, true);
  if (!images) throw invalid(operation, 'imagesDirectory', 'a directory', imagesDirectory);
  const workPath = resolve((work ?? images).path);
  const needs = { since: LAZY_PAGES_SINCE, newest, memTrack: false, lazyPages: true };
  await requireSupport(operation, binary, needs, cancellation);
  makeBlocking(operation, inherited.find(([number]) => number === wire.ps?.fd)?.[1]);
  const pages = await lazyPagesIn(operation, images.path);
  const log = await LogFile.at(join(workPath, options.logFile ?? DEFAULT_LOG_NAME));
  await spawnSlot();
  cancellation.throwIfRequested();
  const [statusFd, daemonStatusFd] = native().pipe();
  try {
    const child = CriuChild.start({
      path: binary.path,
      args: lazyPagesArguments({ wire, options, images: resolve(images.path), work: workPath }),
      inherited: [
        ...inherited,
        [STATUS_FD, daemonStatusFd],
        ...(keepAliveFd === undefined ? [] : [[KEEP_ALIVE_FD, keepAliveFd] as const]),
      ],
    });
    return new LazyPages({
      child,
      statusFd,
      socketPath: join(workPath, SOCKET_NAME),
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
