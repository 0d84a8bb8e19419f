import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { CriuError } from '../errors.ts';
import { treePids } from '../images/pstree.ts';
import type { Client } from '../operation.ts';
import { translate, withDefaults } from '../options/translate.ts';
import type { RestoredProcess } from '../process/restored-process.ts';
import { killTree } from '../process/tree.ts';
import { type RestoreOptions, restore } from '../restore.ts';
import { Cancellation } from '../rpc/cancellation.ts';
import { checkHooks } from '../rpc/hooks.ts';
import { type HeldFaults, NotHeld } from './held-faults.ts';
import { LazyPages, type LazyPagesOptions, type LazyPagesResult } from './lazy-pages.ts';

/**
 * Options of {@link Criu.lazyRestore}: those of the restore, and where the memory comes from. Its
 * `signal` and `deadlineMs` hold until the last page is there.
 */
export interface LazyRestoreOptions
  extends Omit<RestoreOptions, 'lazyPages'>,
    Pick<
      LazyPagesOptions,
      | 'pageServer'
      | 'insecure'
      | 'tls'
      | 'tlsCacert'
      | 'tlsCacrl'
      | 'tlsCert'
      | 'tlsKey'
      | 'tlsNoCnVerify'
    > {
  imagesDirectory: string;
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
  const { pageServer, insecure, ...others } = options;
  const { tls, tlsCacert, tlsCacrl, tlsCert, tlsKey, tlsNoCnVerify, ...own } = others;
  const { imagesDirectory, workDirectory, configFile } = own;
  const cancellation = new Cancellation(OPERATION, { signal, deadlineMs, gracePeriodMs });
  let daemon: LazyPages | undefined;
  let faults: HeldFaults | undefined;
  // Processes that wait for a page keep criu waiting as well.
  const lost = new AbortController();
  try {
    checkHooks(OPERATION, hooks);
    translate('restore', withDefaults('restore', own, client.defaults), OPERATION);
    cancellation.throwIfRequested();
    const forDaemon = defined({
      ...{ imagesDirectory, workDirectory, configFile, pageServer, insecure },
      ...{ tls, tlsCacert, tlsCacrl, tlsCert, tlsKey, tlsNoCnVerify },
    });
    daemon = await LazyPages.start(client, forDaemon, { operation: OPERATION, keeper });
    await Promise.race([daemon.ready, cancellation.requested]);
    cancellation.throwIfRequested();
    daemon.exited
      .then(({ code }) => code !== 0 && sleep(LOST_MS, true, { ref: false }))
      .then((isLost) => isLost && lost.abort());
    const holdFaults = async (pid: number) => {
      faults = await daemon?.holdFaults(processesIn(imagesDirectory));
      await hooks?.postRestore?.(pid);
    };
    const process = await restore(client, {
      ...own,
      ...defined({ deadlineMs, gracePeriodMs }),
      signal: AbortSignal.any([lost.signal, ...(signal ? [signal] : [])]),
      lazyPages: true,
      hooks: { ...hooks, postRestore: holdFaults },
    });
    const pagesDone = untilThere({ daemon, process, faults, cancellation });
    // Nobody has to wait for it.
    pagesDone.catch(() => {});
    return { process, pagesDone };
  } catch (error) {
    faults?.[Symbol.dispose]();
    cancellation[Symbol.dispose]();
    const failure = lost.signal.aborted || lacksDaemon(error) ? await daemon?.failure() : undefined;
    await daemon?.close();
    throw failure ? withoutDaemon(failure, error as CriuError) : error;
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

/** Sees to it that the processes do not live without their memory. */
async function untilThere(parts: {
  daemon: LazyPages;
  process: RestoredProcess;
  faults: HeldFaults | undefined;
  cancellation: Cancellation;
}): Promise<LazyPagesResult> {
  const { daemon, process, faults } = parts;
  using cancellation = parts.cancellation;
  cancellation.requested.then(() => {
    const { code, message, cause } = cancellation.reason as CriuError;
    daemon.end({ code, text: message, cause });
  });
  try {
    return await daemon.done;
  } catch (error) {
    // Before the last copy of the userfaultfds is closed, and zeros take the place of the memory.
    const alive = process.kill(0);
    if (alive) killTree(process.pid);
    await Promise.race([process.exited, sleep(LINGER_MS, undefined, { ref: false })]);
    throw withoutMemory(error as CriuError, process.pid, alive);
  } finally {
    faults?.[Symbol.dispose]();
  }
}

function withoutMemory(cause: CriuError, pid: number, alive: boolean): CriuError {
  const { code, log, stderr, exit } = cause;
  const what = cause.message.replace(/^\w+: /, '');
  const end = alive ? 'was killed, since some of its memory is missing' : 'has ended';
  const message = `${OPERATION}: ${what} (process ${pid} ${end})`;
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
