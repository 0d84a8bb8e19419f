import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { isAlive } from '../cleanup/half-restored.ts';
import { Cancellation } from '../concurrency/cancellation.ts';
import { CombinedSignal } from '../concurrency/combined-signal.ts';
import { CriuError } from '../errors.ts';
import { treePids } from '../images/pstree.ts';
import type { Client } from '../operations/client.ts';
import { type RestoreOptions, restore } from '../operations/restore.ts';
import type { RestoredProcess } from '../operations/restored-process.ts';
import { checkOptions } from '../options/check.ts';
import { operationOptions } from '../options/operation-options.ts';
import { translate, withDefaults } from '../options/translate.ts';
import { killTrees } from '../process/kill-tree.ts';
import { KnownProcesses } from '../procfs/known-processes.ts';
import { descendantsOf } from '../procfs/tree.ts';
import { LazyPages, type LazyPagesOptions, type LazyPagesResult } from './lazy-pages.ts';
import { NotHeld, type UffdGuard } from './uffd-guard.ts';

/**
 * Options of {@link Criu.lazyRestore}: those of the restore, and where the memory comes from. Its
 * `signal` and `deadlineMs` hold until the last page is there.
 */
export interface LazyRestoreOptions
  extends Omit<RestoreOptions, 'lazyPages'>,
    Pick<LazyPagesOptions, 'pageServer' | 'insecure' | 'tls'> {
  /** Directory of the image files, as a path: the daemon reads them, too. */
  imagesDirectory: string;
  /**
   * Directory of the log files, the statistics and the socket on which the daemon waits for the
   * restore, as a path. Created with mode 0700 if it does not exist. Default: the images directory.
   */
  workDirectory?: string;
}

/** Processes that run while their memory is on its way. */
export interface LazyRestored {
  /** The root of the tree. */
  readonly process: RestoredProcess;
  /**
   * Resolves when every page is there. Rejects with ERR_CRIU_LAZY_PAGES if some will never be, and
   * with ERR_CRIU_ABORTED or ERR_CRIU_TIMEOUT if it is cancelled before; the processes were killed
   * then, for they cannot go on without.
   */
  readonly pagesDone: Promise<LazyPagesResult>;
}

const OPERATION = 'lazyRestore';
/** How long a process may take to end when it is killed, in milliseconds. */
const LINGER_MS = 2000;
const POLL_MS = 5;
/** How long a restore may go on without its daemon, in milliseconds. */
const LOST_MS = 2000;

/**
 * Starts the daemon, restores, and watches over both.
 * @param keeper see {@link LazyPages.start}
 */
export async function lazyRestore(
  client: Client,
  given: LazyRestoreOptions,
  keeper?: number,
): Promise<LazyRestored> {
  const { signal, deadlineMs, gracePeriodMs, hooks, ...options } = given;
  const { pageServer, insecure, tls, ...own } = options;
  const { imagesDirectory, workDirectory, configFile } = own;
  checkOptions(OPERATION, { signal, deadlineMs, gracePeriodMs, hooks }, operationOptions);
  const cancellation = new Cancellation(OPERATION, { signal, deadlineMs, gracePeriodMs });
  let daemon: LazyPages | undefined;
  let faults: UffdGuard | undefined;
  const tree = new KnownProcesses([]);
  // Processes that wait for a page keep criu waiting as well.
  const lost = new AbortController();
  try {
    translate('restore', withDefaults('restore', own, client.defaults), OPERATION);
    cancellation.throwIfRequested();
    const forDaemon = defined({
      ...{ imagesDirectory, workDirectory, configFile, pageServer, insecure, tls },
    });
    const job = { operation: OPERATION, outer: cancellation, keeper };
    daemon = await LazyPages.start(client, forDaemon, job);
    await Promise.race([daemon.ready, cancellation.requested]);
    cancellation.throwIfRequested();
    daemon.exited
      .then(({ code }) => code !== 0 && sleep(LOST_MS, true, { ref: false }))
      .then((isLost) => isLost && lost.abort());
    const holdFaults = async (pid: number) => {
      // Now that none of them runs: later the root may have ended, and the others have no parent.
      tree.add(descendantsOf(pid));
      const forked = () => tree.add(tree.pids.flatMap(descendantsOf));
      faults = await daemon?.holdFaults(processesIn(imagesDirectory), forked);
      await hooks?.postRestore?.(pid);
    };
    using either = new CombinedSignal([lost.signal, signal]);
    const process = await restore(client, {
      ...own,
      ...defined({ deadlineMs, gracePeriodMs }),
      signal: either.signal,
      lazyPages: true,
      hooks: { ...hooks, postRestore: holdFaults },
    });
    const pagesDone = untilThere({ daemon, process, tree, faults, cancellation });
    // Nobody has to wait for it.
    pagesDone.catch(() => {});
    return { process, pagesDone };
  } catch (error) {
    // If it was too late to roll back, they run.
    const killed = await kill(tree);
    faults?.[Symbol.dispose]();
    cancellation[Symbol.dispose]();
    const failure = lost.signal.aborted || lacksDaemon(error) ? await daemon?.failure() : undefined;
    await daemon?.close();
    const told = killed.length > 0 ? afterAll(error) : error;
    throw failure ? withoutDaemon(failure, told as CriuError) : told;
  }
}

/** What CRIU's log has of the connection to the daemon. */
const TO_DAEMON = /^uffd: /;

/** Whether a restore has failed because the daemon had. */
function lacksDaemon(error: unknown): boolean {
  if (!(error instanceof CriuError)) return false;
  if (error.cause instanceof NotHeld) return true;
  const { code, log } = error;
  return code === 'ERR_CRIU_FAILED' && !!log?.errors.some((line) => TO_DAEMON.test(line));
}

/** The failure of a restore by its cause. */
function withoutDaemon(failure: CriuError, { workload, pid }: CriuError): CriuError {
  const { code, log, stderr, exit } = failure;
  const what = failure.message.replace(/^\w+: /, '');
  return new CriuError(code, `${OPERATION}: ${what} (nothing was restored)`, {
    operation: OPERATION,
    ...{ log, stderr, exit, workload, pid, cause: failure },
  });
}

/** The failure of a restore whose processes ran, and were killed. */
function afterAll(error: unknown): unknown {
  if (!(error instanceof CriuError) || error.workload === 'gone') return error;
  const killed = 'the restored processes were killed, since they would lack memory';
  const message = error.message.replace('the restored processes run', killed);
  return new CriuError(error.code, message, { ...error, workload: 'gone', cause: error.cause });
}

/** Sees to it that the processes do not live without their memory. */
async function untilThere(parts: {
  daemon: LazyPages;
  process: RestoredProcess;
  tree: KnownProcesses;
  faults: UffdGuard | undefined;
  cancellation: Cancellation;
}): Promise<LazyPagesResult> {
  const { daemon, process, tree, faults } = parts;
  using cancellation = parts.cancellation;
  cancellation.requested.then(() => {
    const { code, message, cause } = cancellation.reason as CriuError;
    daemon.end({ code, text: message, cause });
  });
  try {
    return await daemon.done;
  } catch (error) {
    // Before the last copy of the userfaultfds is closed, and zeros take the place of the memory.
    const killed = await kill(tree);
    await Promise.race([process.exited, sleep(LINGER_MS, undefined, { ref: false })]);
    throw withoutMemory(error as CriuError, process.pid, killed);
  } finally {
    faults?.[Symbol.dispose]();
  }
}

/** Kills processes and all below them, and resolves when they are gone: with those that ran. */
async function kill(tree: KnownProcesses): Promise<number[]> {
  const alive = tree.pids.filter(isAlive);
  const killed = killTrees(tree.pids);
  for (let waited = 0; waited < LINGER_MS && killed.some(isAlive); waited += POLL_MS) {
    await sleep(POLL_MS);
  }
  return alive;
}

function withoutMemory(cause: CriuError, pid: number, killed: readonly number[]): CriuError {
  const { code, log, stderr, exit } = cause;
  const what = cause.message.replace(/^\w+: /, '');
  const why = 'killed, since some of its memory is missing';
  const end = killed.includes(pid) ? `was ${why}` : 'has ended';
  const rest =
    killed.length > 0 && !killed.includes(pid) ? `; what was left of its tree was killed` : '';
  const message = `${OPERATION}: ${what} (process ${pid} ${end}${rest})`;
  return new CriuError(code, message, {
    operation: OPERATION,
    ...{ pid, log, stderr, exit, cause },
    workload: 'gone',
  });
}

/** How many processes with memory the images are of. */
function processesIn(directory: LazyRestoreOptions['imagesDirectory']): number {
  return treePids(directory).filter((pid) => existsSync(join(directory, `mm-${pid}.img`))).length;
}

/** Without what is undefined, which counts as given elsewhere. */
function defined<T extends object>(options: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  const entries = Object.entries(options).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as { [K in keyof T]: Exclude<T[K], undefined> };
}
