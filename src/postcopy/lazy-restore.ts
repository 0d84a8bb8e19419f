import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Cancellation } from '../concurrency/cancellation.ts';
import { CombinedSignal } from '../concurrency/combined-signal.ts';
import type { CriuError } from '../errors.ts';
import { treePids } from '../images/pstree.ts';
import type { Client } from '../operations/client.ts';
import { type RestoreOptions, restore } from '../operations/restore.ts';
import type { RestoredProcess } from '../operations/restored-process.ts';
import { checkOptions } from '../options/check.ts';
import { overrideHooks } from '../options/hooks.ts';
import { operationOptions } from '../options/operation-options.ts';
import { translate, withDefaults } from '../options/translate.ts';
import { killTrees } from '../process/kill-tree.ts';
import { KnownProcesses } from '../procfs/known-processes.ts';
import { isAlive } from '../procfs/stat.ts';
import { descendantsOf } from '../procfs/tree.ts';
import type { LazyPages, LazyPagesOptions, LazyPagesResult } from './lazy-pages.ts';
import { type LazyPagesContext, startLazyPages } from './lazy-pages-start.ts';
import {
  daemonFailure,
  isDaemonFailure,
  killedFailure,
  missingMemoryFailure,
} from './lazy-restore-failures.ts';
import { type OwnLazyPagesOptions, startOwnLazyPages } from './own-lazy-pages.ts';
import type { UffdGuard } from './uffd-guard.ts';

/**
 * Options of {@link Criu.lazyRestore}: those of the restore, and where the memory comes from.
 * `signal` and `deadlineMs` apply until the last page has arrived.
 */
export interface LazyRestoreOptions
  extends Omit<RestoreOptions, 'lazyPages'>,
    Pick<LazyPagesOptions, 'pageServer' | 'insecure' | 'tls'> {
  /** Path of the directory of the image files; the daemon reads them as well. */
  imagesDirectory: string;
  /**
   * Path of the directory of the log files, the statistics and the socket between the daemon and the
   * restore. Created with mode 0700 if it does not exist. Default: the images directory.
   */
  workDirectory?: string;
}

/** Processes that run while their memory is still being fetched. */
export interface LazyRestored {
  /** The root of the tree. */
  readonly restored: RestoredProcess;
  /**
   * Resolves when every page has arrived. Rejects with ERR_CRIU_LAZY_PAGES if some pages will never
   * arrive, and with ERR_CRIU_ABORTED or ERR_CRIU_TIMEOUT if it is cancelled before. The processes
   * have been killed then, since they cannot run without their memory.
   */
  readonly pagesDone: Promise<LazyPagesResult>;
}

const OPERATION = 'lazyRestore';
/** How long processes may take to end when they are killed, in milliseconds. */
const KILL_TIMEOUT_MS = 2000;
const POLL_MS = 5;
/** How long a restore may continue after its daemon has failed, in milliseconds. */
const ORPHANED_RESTORE_MS = 2000;

/** What the destination of a migration, or a template, adds to the options. */
export interface LazyRestoreContext
  extends Pick<LazyPagesContext, 'keepAliveFd'>,
    Pick<OwnLazyPagesOptions, 'memory' | 'directoryFd' | 'onWaited'> {}

/** Starts the daemon, restores, and watches both until every page has arrived. */
export async function lazyRestore(
  client: Client,
  given: LazyRestoreOptions,
  context: LazyRestoreContext = {},
): Promise<LazyRestored> {
  const { signal, deadlineMs, gracePeriodMs, hooks, ...options } = given;
  const { pageServer, insecure, tls, ...own } = options;
  const { imagesDirectory, workDirectory, configFile } = own;
  checkOptions(OPERATION, { signal, deadlineMs, gracePeriodMs, hooks }, operationOptions);
  const cancellation = new Cancellation(OPERATION, { signal, deadlineMs, gracePeriodMs });
  let starting: Promise<LazyPages> | undefined;
  let guard: UffdGuard | undefined;
  const tree = new KnownProcesses([]);
  // Processes that wait for a page make criu wait as well: the restore would not end by itself.
  const daemonFailed = new AbortController();
  try {
    translate('restore', withDefaults('restore', own, client.defaults), OPERATION);
    cancellation.throwIfRequested();
    const forDaemon = defined({
      ...{ imagesDirectory, workDirectory, configFile, pageServer, insecure, tls },
    });
    const started = startDaemon(client, forDaemon, context, cancellation);
    starting = started;
    started.catch(() => {});
    // It starts while criu does, unless options or images may be refused that nobody has looked at.
    if (!context.memory) await started;
    const awaitDaemon = async () => {
      const { ready, done } = await started;
      await Promise.race([ready, cancellation.requested]);
      cancellation.throwIfRequested();
      done.catch(async () => {
        await sleep(ORPHANED_RESTORE_MS, undefined, { ref: false });
        daemonFailed.abort();
      });
    };
    const guardMemory = async (pid: number) => {
      // None of the processes runs yet. Later the root may have ended, and the others lost their parent.
      tree.add(descendantsOf(pid));
      const onFork = () => {
        tree.add(tree.pids.flatMap(descendantsOf));
        return tree.pids.length;
      };
      const daemon = await started;
      guard = await daemon.guardMemory(countProcesses(imagesDirectory), onFork);
      await hooks?.postRestore?.(pid);
    };
    using either = new CombinedSignal([daemonFailed.signal, signal]);
    const options = {
      ...own,
      ...defined({ deadlineMs, gracePeriodMs }),
      signal: either.signal,
      lazyPages: true,
      hooks: overrideHooks(hooks, { postRestore: guardMemory }),
    };
    const restored = await restore(client, options, { prepare: awaitDaemon });
    const daemon = await started;
    daemon.deliverAll();
    const pagesDone = untilPagesDone({ daemon, restored, tree, guard, cancellation });
    // A caller need not handle the rejection.
    pagesDone.catch(() => {});
    return { restored, pagesDone };
  } catch (error) {
    const daemon = await starting?.catch(() => undefined);
    // If it was too late for criu to roll back, the processes run.
    const killed = await kill(tree);
    guard?.[Symbol.dispose]();
    cancellation[Symbol.dispose]();
    const mayBeDaemon = daemonFailed.signal.aborted || isDaemonFailure(error);
    const failure = mayBeDaemon ? await daemon?.failure() : undefined;
    await daemon?.close();
    const reported = killed.length > 0 ? killedFailure(error) : error;
    throw failure ? daemonFailure(failure, reported as CriuError) : reported;
  }
}

/**
 * Starts the daemon of this package if it can get the memory, else CRIU's: over a network, with a configuration
 * file, or from compressed images. Memory that the images do not describe only the former can get.
 */
async function startDaemon(
  client: Client,
  options: LazyPagesOptions & Pick<LazyRestoreOptions, 'workDirectory'>,
  { keepAliveFd, ...own }: LazyRestoreContext,
  outer: Cancellation,
): Promise<LazyPages> {
  const context = { operation: OPERATION, outer, keepAliveFd };
  const { insecure: _, ...given } = options;
  const merged = withDefaults('lazyPages', given, client.defaults);
  const { wire, inherited } = translate('lazyPages', merged, OPERATION);
  const isLocal = !wire.ps?.address && !wire.tls && !wire.config_file;
  const isOwn = own.memory !== undefined || isLocal;
  const { imagesDirectory, workDirectory } = options;
  const sourceFd = inherited.find(([number]) => number === wire.ps?.fd)?.[1];
  const served = { imagesDirectory, workDirectory, sourceFd, ...own };
  const daemon = isOwn ? await startOwnLazyPages(client, served, context) : undefined;
  return daemon ?? (await startLazyPages(client, options, context));
}

/** Waits for the last page; kills the processes if it will not arrive. */
async function untilPagesDone(parts: {
  daemon: LazyPages;
  restored: RestoredProcess;
  tree: KnownProcesses;
  guard: UffdGuard | undefined;
  cancellation: Cancellation;
}): Promise<LazyPagesResult> {
  const { daemon, restored, tree, guard } = parts;
  using cancellation = parts.cancellation;
  cancellation.requested.then(() => {
    const { code, message, cause } = cancellation.reason as CriuError;
    daemon.end({ code, text: message, cause });
  });
  try {
    return await daemon.done;
  } catch (error) {
    // Kill them before the guard closes the last userfaultfds, after which they would read zeros.
    const killed = await kill(tree);
    await Promise.race([restored.exited, sleep(KILL_TIMEOUT_MS, undefined, { ref: false })]);
    throw missingMemoryFailure(error as CriuError, restored.pid, killed);
  } finally {
    guard?.[Symbol.dispose]();
    await daemon.close();
  }
}

/**
 * Kills processes and their descendants, and waits until they are gone.
 * @returns the pids of those processes that were alive
 */
async function kill(tree: KnownProcesses): Promise<number[]> {
  const alive = tree.pids.filter(isAlive);
  const killed = killTrees(tree.pids);
  for (let waited = 0; waited < KILL_TIMEOUT_MS && killed.some(isAlive); waited += POLL_MS) {
    await sleep(POLL_MS);
  }
  return alive;
}

/** Counts the processes in the images that have memory: zombies have none. */
function countProcesses(directory: string): number {
  return treePids(directory).filter((pid) => existsSync(join(directory, `mm-${pid}.img`))).length;
}

/** The options that are not undefined: an undefined option would override a default. */
function defined<T extends object>(options: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  const entries = Object.entries(options).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as { [K in keyof T]: Exclude<T[K], undefined> };
}
